import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseEngineAddress } from "./engine-address.ts";
import { agreedVersion } from "./engine-client.ts";
import { FrameReader } from "./stream-frames.ts";

test("an address is a socket of this machine, or its loopback", () => {
  assert.deepEqual(parseEngineAddress("unix:///run/docker.sock"), { kind: "socket", path: "/run/docker.sock" });
  assert.deepEqual(parseEngineAddress("tcp://127.0.0.1:2375"), { kind: "tcp", host: "127.0.0.1", port: 2375 });
  assert.deepEqual(parseEngineAddress("tcp://[::1]:2375"), { kind: "tcp", host: "::1", port: 2375 });
});

for (const address of ["ssh://build.example.com", "tcp://build.example.com:2376", "docker"]) {
  test(`"${address}" is refused with what to write instead`, () => {
    assert.throws(() => parseEngineAddress(address), new RegExp(`Cannot use container engine "${address}"`));
  });
}

const versions: { server: [string, string]; want: string | undefined }[] = [
  { server: ["1.41", "1.12"], want: "1.41" },
  { server: ["1.52", "1.44"], want: "1.51" },
  { server: ["1.39", "1.12"], want: undefined },
  { server: ["1.60", "1.52"], want: undefined },
  { server: ["", "1.12"], want: undefined },
];
for (const { server, want } of versions) {
  test(`an engine that speaks ${server[1]} to ${server[0]} is spoken to in ${want ?? "no version"}`, () => {
    assert.equal(agreedVersion(...server), want);
  });
}

test("frames come out whole and in order, however the bytes are cut", () => {
  const frame = fc.record({ error: fc.boolean(), text: fc.string({ maxLength: 40 }) });
  fc.assert(
    fc.property(
      fc.array(frame, { maxLength: 6 }),
      fc.array(fc.nat(30), { minLength: 1, maxLength: 40 }),
      (frames, cuts) => {
        const bytes = Buffer.concat(frames.map(({ error, text }) => framed(error ? 2 : 1, Buffer.from(text))));
        const reader = new FrameReader();
        const seen = { stdout: "", stderr: "" };
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          const size = (cuts[turn % cuts.length] ?? 0) + 1;
          for (const { stream, bytes: part } of reader.push(bytes.subarray(at, at + size)))
            seen[stream] += part.toString("latin1");
          at += size;
        }
        const want = (error: boolean): string =>
          frames.map((each) => (each.error === error ? Buffer.from(each.text).toString("latin1") : "")).join("");
        assert.deepEqual(seen, { stdout: want(false), stderr: want(true) });
      },
    ),
  );
});

function framed(stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt8(stream, 0);
  head.writeUInt32BE(payload.length, 4);
  return Buffer.concat([head, payload]);
}
