import { equal } from "node:assert/strict";
import { test } from "node:test";
import { signRequest } from "./sign-request.ts";

/** `post-x-www-form-urlencoded` of the test suite that AWS publishes for Signature Version 4. */
test("a signature is what AWS's own test suite says", () => {
  const headers = signRequest(
    {
      url: new URL("https://example.amazonaws.com/"),
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: "Param1=value1",
      region: "us-east-1",
      service: "service",
    },
    { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" },
    "20150830T123600Z",
  );
  equal(
    headers["authorization"],
    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
  );
});
