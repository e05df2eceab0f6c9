/** `actions/github-script`, with a REST API that answers what it was asked. */
import { deepEqual, equal, match } from "node:assert/strict";
import { after, before, test } from "node:test";
import { logOf, startBuiltInJobs, wholeLog, type BuiltInJobs } from "../../support/built-in-jobs.ts";

let jobs: BuiltInJobs;
const asked: string[] = [];
let failures = 0;
before(async () => {
  jobs = await startBuiltInJobs({
    async routes(app) {
      await Promise.resolve();
      app.post("/api/v3/repos/acme/shop/issues/5/comments", (request, reply) => {
        asked.push(`${request.headers.authorization} ${JSON.stringify(request.body)}`);
        return reply.code(201).send({ id: 77, body: "hello" });
      });
      app.get<{ Querystring: { page?: string } }>("/api/v3/repos/acme/shop/labels", ({ query }, reply) => {
        const page = Number(query.page ?? "1");
        const url = `${jobs.url}/api/v3/repos/acme/shop/labels?page=${page + 1}`;
        if (page < 3) reply.header("link", `<${url}>; rel="next"`);
        return reply.send([{ name: `label-${page}` }]);
      });
      app.post("/api/graphql", (_request, reply) => reply.send({ data: { viewer: { login: "ada" } } }));
      app.get("/api/v3/repos/acme/shop", (_request, reply) =>
        failures-- > 0 ? reply.code(502).send({ message: "again" }) : reply.send({ full_name: "acme/shop" }),
      );
    },
  });
});
after(async () => await jobs[Symbol.asyncDispose]());

const script = (text: string, more: Readonly<Record<string, string>> = {}) => ({
  id: "s",
  name: "script",
  uses: "actions/github-script@v7",
  with: { script: text, ...more },
});

test("a script speaks REST by name and by route, pages and GraphQL, with the job's token and context", async () => {
  const record = await jobs.run(
    [
      script(`
        const { owner, repo } = context.repo;
        const made = await github.rest.issues.createComment({ owner, repo, issue_number: context.issue.number, body: "hello" });
        const labels = await github.paginate(github.rest.issues.listLabelsForRepo, { owner, repo });
        const asked = await github.request("GET /repos/{owner}/{repo}", { owner, repo });
        const { viewer } = await github.graphql("query { viewer { login } }");
        return [made.status, made.data.id, labels.map((label) => label.name), asked.data.full_name, viewer.login, context.eventName, context.sha.length];
      `),
      { name: "look", run: "echo '${{ steps.s.outputs.result }}'" },
    ],
    { github: { event_name: "issue_comment", event: { issue: { number: 5 } } } },
  );
  equal(record.completed?.conclusion, "success", wholeLog(record));
  match(logOf(record, "look"), /\[201,77,\["label-1","label-2","label-3"\],"acme\/shop","ada","issue_comment",40\]$/);
  deepEqual(asked, ['token tok-1234567890 {"body":"hello"}']);
});

test("core, exec, io, glob and require do what they do elsewhere", async () => {
  const record = await jobs.run([
    { run: "mkdir lib; echo 'module.exports = { twice: (n) => 2 * n };' > lib/twice.js; touch a.txt b.txt" },
    script(
      `
      const { twice } = require("./lib/twice.js");
      const fs = require("fs");
      core.setOutput("two", twice(1));
      core.exportVariable("FROM_SCRIPT", "yes");
      core.addPath("/opt/from-script");
      core.setSecret("very-secret-word");
      core.notice("look here", { file: "a.txt", startLine: 1 });
      await core.summary.addHeading("From the script").write();
      const { stdout } = await exec.getExecOutput("echo", ["ran very-secret-word"]);
      const found = await (await glob.create("*.txt")).glob();
      await io.mkdirP("made/deep");
      return String(found.length) + stdout.trim().length + fs.existsSync("made/deep");
    `,
      { "result-encoding": "string" },
    ),
    {
      name: "look",
      run: 'echo "${{ steps.s.outputs.result }} ${{ steps.s.outputs.two }} $FROM_SCRIPT"; echo "$PATH" | grep -c /opt/from-script',
    },
  ]);
  match(logOf(record, "look"), /\n220true 2 yes\n1$/, wholeLog(record));
  match(logOf(record, "script"), /ran \*\*\*/);
  equal(record.completed?.summary?.includes("From the script"), true);
  deepEqual(
    record.completed?.annotations?.map(({ level, message, path }) => [level, message, path]),
    [["notice", "look here", "a.txt"]],
  );
});

test("what a script throws fails the step with its message, and requests are repeated when that is asked for", async () => {
  const failed = await jobs.run([script('throw new Error("no such thing")')]);
  match(logOf(failed, "script"), /##\[error\]Unhandled error: Error: no such thing/);
  equal(failed.completed?.conclusion, "failure");
  failures = 1;
  const repeated = await jobs.run([
    script("return (await github.rest.repos.get(context.repo)).data.full_name", { retries: "3" }),
  ]);
  equal(repeated.completed?.conclusion, "success", wholeLog(repeated));
  const empty = await jobs.run([{ name: "empty", uses: "actions/github-script@v7" }]);
  match(logOf(empty, "empty"), /##\[error\]Unhandled error: Error: Input required and not supplied: script$/);
});
