import fc from "fast-check";
import { expect, it } from "vitest";
import { lines } from "./ndjson";

function body(bytes: Uint8Array, cuts: readonly number[]): ReadableStream<Uint8Array> {
  const at = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  return new ReadableStream({
    start(controller) {
      let from = 0;
      for (const to of [...at, bytes.length]) {
        controller.enqueue(bytes.slice(from, to));
        from = to;
      }
      controller.close();
    },
  });
}

async function collect(stream: ReadableStream<Uint8Array>): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const line of lines(stream)) found.push(line);
  return found;
}

it("lines arrive whole however the body is cut, even inside a character", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ stage: fc.string({ unit: "grapheme" }), ok: fc.boolean() })),
      fc.array(fc.nat(500)),
      fc.boolean(),
      async (values, cuts, ending) => {
        const text = values.map((value) => JSON.stringify(value)).join("\n") + (ending ? "\n" : "");
        expect(await collect(body(new TextEncoder().encode(text), cuts))).toEqual(values);
      },
    ),
  );
});

it("a line that is no JSON is an error, not a silent end", async () => {
  await expect(collect(body(new TextEncoder().encode('{"a":1}\n<html>\n'), []))).rejects.toThrow();
});
