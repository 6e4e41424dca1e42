/**
 * Small building blocks that turn unknown JSON into typed values.
 *
 * A value of the wrong shape becomes a `DecodeError` that names its place; unknown fields are
 * ignored, so that the API may grow.
 */

/** An answer does not have the documented shape. */
export class DecodeError extends Error {
  override readonly name = "DecodeError";
}

/** Turns a value at a place (`devices[3].score`) into a `T`, or throws `DecodeError`. */
export type Decoder<T> = (value: unknown, place: string) => T;

function refuse(place: string, expected: string, value: unknown): never {
  const got = value === null ? "null" : Array.isArray(value) ? "an array" : typeof value;
  throw new DecodeError(`\`${place}\`: expected ${expected}, got ${got}`);
}

export const number: Decoder<number> = (value, place) =>
  typeof value === "number" && Number.isFinite(value) ? value : refuse(place, "a number", value);

export const string: Decoder<string> = (value, place) =>
  typeof value === "string" ? value : refuse(place, "a string", value);

export const boolean: Decoder<boolean> = (value, place) =>
  typeof value === "boolean" ? value : refuse(place, "true or false", value);

/** Accepts `null` and absence beside what `inner` accepts. */
export function nullable<T>(inner: Decoder<T>): Decoder<T | null> {
  return (value, place) => (value === null || value === undefined ? null : inner(value, place));
}

export function oneOf<T extends string>(allowed: readonly T[]): Decoder<T> {
  return (value, place) => {
    const found = allowed.find((candidate) => candidate === value);
    return found ?? refuse(place, `one of ${allowed.join(", ")}`, value);
  };
}

export function list<T>(item: Decoder<T>): Decoder<readonly T[]> {
  return (value, place) =>
    Array.isArray(value)
      ? value.map((element: unknown, index) => item(element, `${place}[${index}]`))
      : refuse(place, "an array", value);
}

/** Reads fields of an object by name: `field("score", number)`. */
export type FieldReader = <T>(name: string, decoder: Decoder<T>) => T;

export function object<T>(build: (field: FieldReader) => T): Decoder<T> {
  return (value, place) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      return refuse(place, "an object", value);
    }
    const fields = value as Readonly<Record<string, unknown>>;
    return build((name, decoder) =>
      decoder(fields[name], place === "" ? name : `${place}.${name}`),
    );
  };
}
