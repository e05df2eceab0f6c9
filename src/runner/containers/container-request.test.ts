import { deepEqual, equal, throws } from "node:assert/strict";
import { test } from "node:test";
import { parseContainerOptions } from "./container-options.ts";
import { containerRequest } from "./container-request.ts";
import { PathMap } from "./path-map.ts";
import { portRequest } from "./port-mapping.ts";
import { shellWords } from "./shell-words.ts";

test("words are those of a shell, without its expansions", () => {
  const line = `redis --name "two words" 'a "b"' x\\ y "\\"q\\" $HOME" ''`;
  deepEqual(shellWords(line), ["redis", "--name", "two words", 'a "b"', "x y", '"q" $HOME', ""]);
  throws(() => shellWords(`echo "open`), /the quote " does not end/);
});

test("options of docker create become what the engine's API calls them", () => {
  const options = parseContainerOptions(
    `--health-cmd "pg_isready -U me" --health-interval 10s --health-retries=5 --health-timeout 1m30s --cpus 1.5 -m 512m
     --ulimit nofile=1024:4096 -e A=1 --env=B=2 -v /x:/y --tmpfs /run:size=1m --privileged --label team=a --sysctl net.x=1
     -p 5432:5432 --network-alias db --add-host h:1.2.3.4 --user 1000:1000`,
  );
  deepEqual(options, {
    config: {
      Healthcheck: {
        Test: ["CMD-SHELL", "pg_isready -U me"],
        Interval: 10_000_000_000,
        Retries: 5,
        Timeout: 90_000_000_000,
      },
      Labels: { team: "a" },
      User: "1000:1000",
    },
    hostConfig: {
      NanoCpus: 1_500_000_000,
      Memory: 512 * 1024 ** 2,
      Ulimits: [{ Name: "nofile", Soft: 1024, Hard: 4096 }],
      Tmpfs: { "/run": "size=1m" },
      Privileged: true,
      Sysctls: { "net.x": "1" },
      ExtraHosts: ["h:1.2.3.4"],
    },
    env: ["A=1", "B=2"],
    volumes: ["/x:/y"],
    ports: ["5432:5432"],
    aliases: ["db"],
  });
});

const refused: readonly [string, RegExp][] = [
  ["--network host", /--network is refused: the job has a network of its own/],
  ["--name x", /--name is refused/],
  ["--frobnicate", /--frobnicate is refused: it is no option of docker create/],
  ["image", /"image" is no option/],
  ["--cpus", /--cpus needs a value/],
  ["--memory lots", /"lots" is no size/],
  ["--health-interval soon", /"soon" is no duration/],
];
for (const [options, message] of refused) {
  test(`the options "${options}" are refused with the reason`, () => {
    throws(() => parseContainerOptions(options), message);
  });
}

test("ports are published on loopback unless an address is written", () => {
  deepEqual(portRequest(["6379", "8080:80", "0.0.0.0:53:53/udp", "[::1]:1:2"]).bindings, {
    "6379/tcp": [{ HostIp: "127.0.0.1", HostPort: "" }],
    "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "8080" }],
    "53/udp": [{ HostIp: "0.0.0.0", HostPort: "53" }],
    "2/tcp": [{ HostIp: "::1", HostPort: "1" }],
  });
  for (const wrong of ["x", "70000", "1:2:3:4"]) throws(() => portRequest([wrong]), /cannot be read/);
});

test("paths change between machine and container by the innermost mount, and only whole names", () => {
  const paths = new PathMap([
    { source: "/r/job", target: "/__w" },
    { source: "/r/job/_temp/_github_home", target: "/github/home" },
  ]);
  equal(paths.inside("/r/job/a/b"), "/__w/a/b");
  equal(paths.inside("/r/job/_temp/_github_home/x"), "/github/home/x");
  equal(paths.inside("/r/jobs/a"), "/r/jobs/a");
  equal(paths.outside("/github/home/x"), "/r/job/_temp/_github_home/x");
  equal(paths.outside("/__w"), "/r/job");
  deepEqual([paths.has("/r/job/x"), paths.has("/r")], [true, false]);
});

test("a container that shares the network of another has no ports, hosts and aliases of its own", () => {
  const spec = { image: "i", env: { A: "1" }, ports: ["80"], volumes: ["/data", "n:/m"] };
  const input = { image: "i", spec, labels: { l: "1" }, mounts: [], alias: "web", extraHosts: ["h:127.0.0.1"] };
  const own = containerRequest({ ...input, network: "net", waits: true }) as Record<string, Record<string, unknown>>;
  deepEqual([own["Entrypoint"], own["Cmd"]], [["tail"], ["-f", "/dev/null"]]);
  deepEqual(own["NetworkingConfig"], { EndpointsConfig: { net: { Aliases: ["web"] } } });
  deepEqual([own["Volumes"], own["HostConfig"]?.["Binds"]], [{ "/data": {} }, ["n:/m"]]);
  const shared = containerRequest({ ...input, network: "container:x" }) as Record<string, Record<string, unknown>>;
  equal(shared["NetworkingConfig"], undefined);
  deepEqual([shared["HostConfig"]?.["PortBindings"], shared["HostConfig"]?.["ExtraHosts"]], [undefined, undefined]);
  equal(shared["Entrypoint"], undefined);
});
