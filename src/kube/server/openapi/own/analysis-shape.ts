import type {
  AnalysisRunSpec,
  AnalysisRunStatus,
  AnalysisTemplateSpec,
  Measurement,
  Metric,
  MetricResult,
  PrometheusProvider,
} from "#api";
import type { Schema } from "../../schema/schema.ts";
import {
  flag,
  item,
  list,
  numberOrText,
  object,
  oneOf,
  open,
  text,
  texts,
  textsByName,
  time,
  whole,
} from "./shapes.ts";

export const dryRun = list(
  "Metrics that are measured and do not count.",
  item({ metricName: text("Regular expression for their names.") }),
);

export const measurementRetention = list(
  "How many measurements are kept.",
  item({
    metricName: text("Regular expression for their names."),
    limit: whole("How many; ten when nothing is said."),
  }),
);

export function templateReferences(description: string): Schema {
  return list(
    description,
    item({
      templateName: text("Name of the AnalysisTemplate."),
      clusterScope: flag("True: it is a ClusterAnalysisTemplate."),
    }),
  );
}

const templateArguments = list(
  "Values that metrics name as {{args.name}}.",
  item(
    {
      name: text("Name of the argument."),
      value: text("The value; whoever uses the template gives it when there is none."),
      valueFrom: object("Where the value comes from, instead of value.", {
        secretKeyRef: object("A key of a Secret.", { name: text("Name of the Secret."), key: text("The key.") }),
        fieldRef: object("A field.", { fieldPath: text("Its path.") }),
      }),
    },
    ["name"],
  ),
);

const prometheus = object<PrometheusProvider>("A query in PromQL.", {
  query: text("The query; {{args.name}} is replaced."),
  address: text("The Prometheus to ask; the metrics of this server when nothing is said."),
  timeout: whole("Seconds until a query counts as an error; 30 when nothing is said."),
  headers: list(
    "Headers of the request.",
    item({ key: text("Name of the header."), value: text("Value of the header.") }),
  ),
  rangeQuery: object("Asks for a span of time instead of a moment.", {
    start: text("Expression for its beginning, such as now() - duration('5m')."),
    end: text("Expression for its end."),
    step: text("From point to point, such as 1m."),
  }),
  authentication: object("How to log in there.", {
    basicAuth: object("By user and password.", { username: text("The user."), password: text("The password.") }),
    oauth2: object("By OAuth 2.", {
      tokenUrl: text("Where tokens are given."),
      clientId: text("Id of the client."),
      clientSecret: text("Its secret."),
      scopes: texts("Scopes to ask for."),
    }),
    sigv4: open("Refused here: use basicAuth, oauth2 or headers."),
  }),
  insecure: flag("Refused here when true: give Prometheus a certificate that this machine trusts."),
});

const metrics = list(
  "What is measured.",
  item<Metric>(
    {
      name: text("Name of the metric, the only one of its kind."),
      provider: object("Who is asked. Only prometheus is taken here; others are refused.", { prometheus }),
      successCondition: text("Expression about result that a good measurement meets, such as result[0] >= 0.98."),
      failureCondition: text("Expression about result that a bad measurement meets."),
      interval: text("From measurement to measurement, such as 30s."),
      initialDelay: text("How long to wait before the first one, such as 1m."),
      count: numberOrText("How many measurements; without an interval one, else without end when nothing is said."),
      failureLimit: numberOrText("How many bad measurements are borne; none when nothing is said, -1 for any number."),
      inconclusiveLimit: numberOrText("How many unclear measurements are borne; none when nothing is said."),
      consecutiveErrorLimit: numberOrText("How many errors in a row are borne; four when nothing is said."),
      consecutiveSuccessLimit: numberOrText("How many good measurements in a row are enough."),
    },
    ["name", "provider"],
  ),
);

const templateSpec = object<AnalysisTemplateSpec>("What is measured, with which arguments.", {
  metrics,
  args: templateArguments,
  dryRun,
  measurementRetention,
  templates: templateReferences("Templates whose metrics and arguments are taken too."),
});

export const analysisTemplateShape = object(
  "Measurements that tell whether a release is good, for Rollouts of the namespace.",
  {
    spec: templateSpec,
  },
);

export const clusterAnalysisTemplateShape = object(
  "Measurements that tell whether a release is good, for Rollouts of all namespaces.",
  { spec: templateSpec },
);

const phase = oneOf("Where it is.", ["", "Pending", "Running", "Successful", "Failed", "Error", "Inconclusive"]);

const counts = {
  count: whole("How many there were."),
  successful: whole("Good ones."),
  failed: whole("Bad ones."),
  inconclusive: whole("Unclear ones."),
  error: whole("Those that could not be made."),
};

const measurement = item<Measurement>({
  phase,
  value: text("What was measured."),
  message: text("Why it is so."),
  startedAt: time("When it began."),
  finishedAt: time("When it ended."),
  resumeAt: time("Not set here: it is for providers that come back later."),
  metadata: textsByName("What the provider tells of it."),
});

export const analysisRunShape = object("One analysis: what it measures and what it found.", {
  spec: object<AnalysisRunSpec>(
    "What it measures.",
    {
      metrics,
      args: templateArguments,
      terminate: flag("True: it is to end now."),
      dryRun,
      measurementRetention,
      ttlStrategy: object("When it is deleted after its end.", {
        secondsAfterCompletion: whole("Seconds after any end."),
        secondsAfterSuccess: whole("Seconds after a good end."),
        secondsAfterFailure: whole("Seconds after a bad end."),
      }),
    },
    ["metrics"],
  ),
  status: object<AnalysisRunStatus>("What it found.", {
    phase,
    message: text("Why it is so."),
    startedAt: time("When it began."),
    completedAt: time("When it ended."),
    runSummary: object("How many metrics went how.", counts),
    dryRunSummary: object("The same for those that do not count.", counts),
    metricResults: list(
      "One for each metric.",
      item<MetricResult>({
        name: text("Name of the metric."),
        phase,
        message: text("Why it is so."),
        measurements: list("The last measurements.", measurement),
        ...counts,
        consecutiveError: whole("Errors in a row."),
        consecutiveSuccess: whole("Good ones in a row."),
        dryRun: flag("Whether it does not count."),
        metadata: textsByName("What the provider tells of it."),
      }),
    ),
  }),
});
