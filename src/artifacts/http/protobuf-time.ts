/**
 * A `Timestamp` in the JSON of protobuf has 0, 3, 6 or 9 digits of a second: `.12Z`, which Temporal makes of 120 ms, is
 * refused by the official clients.
 */
export function protobufTime(epochMs: number): string {
  return Temporal.Instant.fromEpochMilliseconds(epochMs).toString({ fractionalSecondDigits: 3 });
}
