import { expect, it } from "vitest";
import { toYaml } from "./yaml";

it("writes an object as a person would", () => {
  expect(
    toYaml({
      kind: "Deployment",
      metadata: { name: "web", labels: {}, annotations: { note: "a: b", on: "yes" } },
      spec: {
        replicas: 3,
        paused: false,
        args: ["--port", "8080", ""],
        containers: [{ name: "web", ports: [{ containerPort: 80 }] }],
        none: null,
      },
    }),
  ).toBe(`kind: Deployment
metadata:
  name: web
  labels: {}
  annotations:
    note: "a: b"
    "on": "yes"
spec:
  replicas: 3
  paused: false
  args:
  - "--port"
  - "8080"
  - ""
  containers:
  - name: web
    ports:
    - containerPort: 80
  none: null
`);
});

it("keeps text of several lines readable, and quotes what a block would change", () => {
  expect(toYaml({ script: "first\nsecond\n" })).toBe("script: |\n  first\n  second\n");
  expect(toYaml({ script: "first\n\nsecond" })).toBe("script: |-\n  first\n\n  second\n");
  expect(toYaml({ script: "end\n\n" })).toBe('script: "end\\n\\n"\n');
  expect(toYaml({ script: " indented\nline" })).toBe('script: " indented\\nline"\n');
});

it.each(["true", "null", "1.5", "0x1F", "2026-11-24", "12:30", "~", "- a", "#c", "1e3", ".5", "Yes"])(
  "%s stays a string",
  (text) => {
    expect(toYaml({ value: text })).toBe(`value: ${JSON.stringify(text)}\n`);
  },
);
