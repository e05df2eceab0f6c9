/** Configuration of `git receive-pack`. */

/** What both the advertisement and the push must agree on. */
export const advertisedReceiveConfig: Readonly<Record<string, string>> = {
  "receive.autogc": "false",
  "receive.advertiseAtomic": "true",
  "receive.advertisePushOptions": "false",
  "receive.updateServerInfo": "false",
  "receive.denyDeleteCurrent": "refuse",
};

export const receiveConfig: Readonly<Record<string, string>> = {
  ...advertisedReceiveConfig,
  "receive.fsckObjects": "true",
  // Harmless, and found in the history of real projects.
  "receive.fsck.zeroPaddedFilemode": "ignore",
  "receive.fsck.missingSpaceBeforeDate": "ignore",
  "receive.fsck.badTimezone": "ignore",
  "receive.fsck.missingSpaceBeforeEmail": "ignore",
};
