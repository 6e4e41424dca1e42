/**
 * Downloads the readings of a span as CSV.
 *
 * A plain link, as long as no key is needed; a link cannot send one, so with a key the file is
 * fetched first and then saved.
 */
import { type MouseEvent, useState } from "react";
import { type ApiClient, type ReadingSpan, readingsPath } from "../api/client.ts";
import { describeFailure } from "../api/failure.ts";

export interface CsvLinkProps {
  readonly client: ApiClient;
  readonly deviceId: string;
  readonly span: ReadingSpan;
}

export function CsvLink({ client, deviceId, span }: CsvLinkProps) {
  const [problem, setProblem] = useState<string | null>(null);
  const name = fileName(deviceId);

  async function fetchAndSave(): Promise<void> {
    try {
      const file = await client.downloadReadings(deviceId, span, new AbortController().signal);
      save(file, name);
      setProblem(null);
    } catch (thrown) {
      setProblem(describeFailure(thrown));
    }
  }

  function onClick(event: MouseEvent): void {
    if (client.needsKey) {
      event.preventDefault();
      void fetchAndSave();
    }
  }

  return (
    <>
      <a
        className="quiet-button"
        href={readingsPath(deviceId, span, "csv")}
        download={name}
        onClick={onClick}
      >
        CSV
      </a>
      {problem === null ? null : <span role="alert">{problem}</span>}
    </>
  );
}

/** Ids are the device's own text: only harmless characters reach a file name. */
export function fileName(deviceId: string): string {
  const harmless = deviceId.replace(/[^A-Za-z0-9_-]+/g, "_").slice(0, 64);
  return `readings-${harmless}.csv`;
}

function save(file: Blob, name: string): void {
  const url = URL.createObjectURL(file);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
