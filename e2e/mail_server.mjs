/**
 * A real mail server for tests: takes letters or refuses them, and stands still where a test says so.
 *
 * It knows nothing of the app; letters are kept as they came.
 */
import { SMTPServer } from "smtp-server";
import { atEnd } from "./harness.mjs";

/** Where a conversation can stand still. */
export const STOPS = ["greeting", "recipient", "data", "answer"];

/** Starts a server; `options` are those of the class below. */
export async function startMailServer(options = {}) {
  const server = new MailServer(options);
  await server.up();
  atEnd(() => server.down());
  return server;
}

/** Subjects of all letters that arrived, in their order. */
export function subjectsOf(server) {
  return server.letters.map(({ text }) =>
    /^Subject: ([^\r]*(?:\r\n [^\r]*)*)/m.exec(text)[1].replace(/\r\n /g, " ").trim(),
  );
}

class MailServer {
  /**
   * `security` is `plain`, `starttls` or `tls`, the latter two with `key` and `cert`; `password` is that of user `app`,
   * without one nobody proves anything; `refuses` are addresses that do not exist.
   */
  constructor({ security = "plain", key, cert, password = null, refuses = [] }) {
    Object.assign(this, { security, key, cert, password, refuses });
    this.port = 0;
    /** All letters that arrived whole: `{ to, text, messageId }`. */
    this.letters = [];
    this.stop = null;
    this.waiting = [];
    this.reached = [];
  }

  /** The setting that leads here. */
  get url() {
    const scheme = this.security === "tls" ? "smtps" : "smtp";
    const who = this.password === null ? "" : `app:${encodeURIComponent(this.password)}@`;
    return `${scheme}://${who}localhost:${this.port}${this.security === "starttls" ? "?tls=required" : ""}`;
  }

  /** Letters that an address got. */
  of(address) {
    return this.letters.filter(({ to }) => to === address);
  }

  /** Lets conversations stand still at a place, from the next one on. */
  stopAt(place) {
    this.stop = place;
    this.reached = [];
  }

  /** Whether a conversation stands still. */
  get isReached() {
    return this.reached.length > 0;
  }

  /** Lets all go on. */
  goOn() {
    this.stop = null;
    for (const next of this.waiting.splice(0)) {
      next();
    }
  }

  /** Forgets conversations that stand still, as when their senders are gone. */
  forget() {
    this.stop = null;
    this.waiting = [];
  }

  async up() {
    const server = new SMTPServer({
      secure: this.security === "tls",
      key: this.key,
      cert: this.cert,
      authOptional: this.password === null,
      allowInsecureAuth: true,
      disabledCommands: this.security === "starttls" ? [] : ["STARTTLS"],
      disableReverseLookup: true,
      closeTimeout: 100,
      onConnect: (_, next) => this.#pass("greeting", next),
      onAuth: ({ username, password }, _, next) => {
        const isRight = username === "app" && password === this.password;
        next(isRight ? null : new Error("535 wrong name or password"), isRight ? { user: username } : undefined);
      },
      onRcptTo: ({ address }, _, next) => {
        if (this.refuses.includes(address)) {
          const error = new Error(`no such user: ${address}`);
          error.responseCode = 550;
          return next(error);
        }
        return this.#pass("recipient", next);
      },
      onData: (stream, session, next) => this.#take(stream, session, next),
    });
    server.on("error", () => {});
    await new Promise((done, fail) => {
      server.server.once("error", fail);
      server.listen(this.port, "127.0.0.1", done);
    });
    this.port = server.server.address().port;
    this.server = server;
  }

  async down() {
    this.goOn();
    const { server } = this;
    this.server = null;
    await new Promise((done) => (server === null ? done() : server.close(done)));
  }

  #take(stream, session, next) {
    const chunks = [];
    stream.on("data", (chunk) => chunks.push(chunk));
    stream.on("end", () => {
      const text = Buffer.concat(chunks).toString("utf8");
      const messageId = /^Message-ID: (.*)$/im.exec(text)?.[1].trim();
      // Before it is taken the letter counts as lost with its sender.
      this.#pass("data", () => {
        for (const { address } of session.envelope.rcptTo) {
          this.letters.push({ to: address, text, messageId });
        }
        this.#pass("answer", next);
      });
    });
  }

  #pass(place, next) {
    if (this.stop !== place) {
      return next();
    }
    this.reached.push(place);
    this.waiting.push(next);
    return undefined;
  }
}
