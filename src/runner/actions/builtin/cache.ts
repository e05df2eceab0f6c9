/** `actions/cache`, `actions/cache/restore` and `actions/cache/save`. */
import { StepFailure } from "../../errors.ts";
import type { ActionCall, BuiltinAction } from "../builtin-action.ts";
import { cacheAvailable, restoreCache, saveCache } from "../cache/cache-entries.ts";

const restoreInputs = {
  path: "",
  key: "",
  "restore-keys": "",
  enableCrossOsArchive: "false",
  "fail-on-cache-miss": "false",
  "lookup-only": "false",
};

/** State of the action from its first stage to its last, by the names that the official one uses. */
const primaryKeyState = "CACHE_KEY";
const matchedKeyState = "CACHE_RESULT";

export const cache: BuiltinAction = {
  name: "actions/cache",
  inputs: { ...restoreInputs, "upload-chunk-size": "", "save-always": "false" },
  versions: {
    enableCrossOsArchive: { since: 3 },
    "fail-on-cache-miss": { since: 3 },
    "lookup-only": { since: 3 },
    "upload-chunk-size": { since: 2 },
    "save-always": { since: 4 },
  },
  deprecated: {
    "save-always":
      "save-always does not work as intended and will be removed in a future release.\nA separate `actions/cache/restore` step should be used instead.\nSee https://github.com/actions/cache/tree/main/save#always-save-cache for more details.\n",
  },
  postIf: "success()",
  async main(call) {
    await restore(call, (key, matched) => {
      call.saveState(primaryKeyState, key);
      if (matched !== undefined) call.saveState(matchedKeyState, matched);
    });
  },
  async post(call) {
    await save(call);
  },
};

export const cacheRestore: BuiltinAction = {
  name: "actions/cache/restore",
  inputs: restoreInputs,
  async main(call) {
    await restore(call, (key, matched) => {
      call.setOutput("cache-primary-key", key);
      if (matched !== undefined) call.setOutput("cache-matched-key", matched);
    });
  },
};

export const cacheSave: BuiltinAction = {
  name: "actions/cache/save",
  inputs: { path: "", key: "", "upload-chunk-size": "", enableCrossOsArchive: "false" },
  async main(call) {
    if ((await save(call)) === "not-saved") call.warn("Cache save failed.");
  },
};

async function restore(call: ActionCall, remember: (key: string, matched?: string) => void): Promise<void> {
  if (!cacheAvailable(call)) {
    sayUnavailable(call);
    call.setOutput("cache-hit", "false");
    return;
  }
  const key = call.required("key");
  remember(key);
  const restoreKeys = patterns(call, "restore-keys");
  call.required("path");
  const question = { paths: patterns(call, "path"), key, restoreKeys, lookupOnly: call.isTrue("lookup-only") };
  const matched = await restoreCache(call, question);
  if (matched === undefined) {
    // The output stays unset, as upstream keeps it for workflows that compare with ''.
    if (call.isTrue("fail-on-cache-miss")) {
      throw new StepFailure(`Failed to restore cache entry. Exiting as fail-on-cache-miss is set. Input key: ${key}`);
    }
    call.log(`Cache not found for input keys: ${[key, ...restoreKeys].join(", ")}`);
    return;
  }
  remember(key, matched);
  call.setOutput("cache-hit", String(sameKey(key, matched)));
  const verb = question.lookupOnly ? "found and can be restored" : "restored";
  call.log(`Cache ${verb} from key: ${matched}`);
}

/** Nothing about saving makes the step fail. */
async function save(call: ActionCall): Promise<"saved" | "not-saved" | "not-needed"> {
  if (!cacheAvailable(call)) {
    sayUnavailable(call);
    return "not-needed";
  }
  const key = call.state(primaryKeyState) || call.text("key");
  if (key === "") {
    call.log("[warning]Key is not specified.");
    return "not-needed";
  }
  if (sameKey(key, call.state(matchedKeyState))) {
    call.log(`Cache hit occurred on the primary key ${key}, not saving cache.`);
    return "not-needed";
  }
  try {
    call.required("path");
    if ((await saveCache(call, { paths: patterns(call, "path"), key })) === undefined) return "not-saved";
    call.log(`Cache saved with key: ${key}`);
    return "saved";
  } catch (error) {
    if (!(error instanceof StepFailure)) throw error;
    call.log(`[warning]${error.message}`);
    return "not-saved";
  }
}

/** Keys that differ only in case are the same to the official action. */
function sameKey(key: string, matched: string): boolean {
  return matched !== "" && matched.localeCompare(key, undefined, { sensitivity: "accent" }) === 0;
}

function patterns(call: ActionCall, name: string): string[] {
  return call.list(name).map((line) => line.replace(/^!\s+/, "!"));
}

function sayUnavailable(call: ActionCall): void {
  call.log("[warning]There is no cache here: the job runs without a server");
}
