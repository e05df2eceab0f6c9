/** `exec`, `attach` and `portforward` of a pod: what is asked, and who serves it over which protocol. */
import type { Duplex } from "node:stream";
import { createWebSocketStream } from "ws";
import type { Pod } from "#api";
import type { PodSession } from "../../ports.ts";
import type { Answer } from "../http/answer.ts";
import { flag, type KubeFace } from "../http/kube-request.ts";
import { badRequest } from "../refusals.ts";
import { type ObjectCall, placeOf } from "../verbs/resource-call.ts";
import { chooseContainer } from "../verbs/choose-container.ts";
import type { CommandStreams, WantedStreams } from "./command-streams.ts";
import { portForwardProtocol, servePortForward } from "./port-forward.ts";
import { serveCommand } from "./serve-command.ts";
import { spdyCommandProtocols, spdyCommandStreams } from "./spdy/spdy-command.ts";
import type { StreamSubresource } from "./stream-subresources.ts";
import { acceptSpdy, acceptWebSocket, type Upgrade, upgradeKind } from "./upgrade.ts";
import { ChannelCommandStreams, channelProtocols } from "./websocket/channel-command.ts";

/** What will serve the connection; throws KubeError while it is still an HTTP request. */
export function openPodStream(call: ObjectCall, subresource: StreamSubresource): Answer {
  const pod = call.face.objects.get(call.kind, placeOf(call)) as unknown as Pod;
  if ((pod.spec.nodeName ?? "") === "") throw badRequest(`pod ${call.name} does not have a host assigned`);
  const serve = subresource === "portforward" ? forwarding(call, pod) : commanding(call, pod, subresource);
  return { kind: "upgrade", serve };
}

type Serve = (upgrade: Upgrade) => Promise<void>;

function commanding(call: ObjectCall, pod: Pod, subresource: "exec" | "attach"): Serve {
  const { face, request } = call;
  const { query } = request;
  const wanted = wantedStreams(query);
  const container = chooseContainer(pod, query.get("container") ?? "");
  const command = query.getAll("command");
  const isExec = subresource === "exec";
  if (isExec && command.length === 0) throw badRequest("you must specify at least one command for the container");
  face.streams.requireRunning(pod, container);
  return async (upgrade) => {
    const asked = { container, stdin: wanted.stdin, tty: wanted.tty, signal: request.signal };
    await serveCommand({
      streams: await commandStreams(face, upgrade, wanted),
      doing: isExec ? "error executing command in container" : "error attaching to container",
      tellsExitCode: isExec,
      open: (): Promise<PodSession> =>
        isExec ? face.streams.exec(pod, { ...asked, command }) : face.streams.attach(pod, asked),
    });
  };
}

function wantedStreams(query: URLSearchParams): WantedStreams {
  const tty = flag(query, "tty");
  const [stdin, stdout] = [flag(query, "stdin"), flag(query, "stdout")];
  // A terminal has joined both outputs.
  const stderr = flag(query, "stderr") && !tty;
  if (!stdin && !stdout && !stderr) throw badRequest("you must specify at least 1 of stdin, stdout, stderr");
  return { stdin, stdout, stderr, tty };
}

async function commandStreams(face: KubeFace, upgrade: Upgrade, wanted: WantedStreams): Promise<CommandStreams> {
  const { clock, log } = face;
  const { socket: transport } = upgrade;
  if (upgradeKind(upgrade.request) === "websocket") {
    const { socket, protocol } = await acceptWebSocket(upgrade, channelProtocols, true);
    return new ChannelCommandStreams({ socket, protocol, transport, wanted, clock });
  }
  const protocol = acceptSpdy(upgrade, spdyCommandProtocols);
  return await spdyCommandStreams({ transport, protocol, wanted, clock, log });
}

function forwarding({ face }: ObjectCall, pod: Pod): Serve {
  const { clock, log } = face;
  if (pod.status?.phase !== "Running") {
    throw badRequest(
      `unable to forward port because pod is not running. Current status=${pod.status?.phase ?? "Pending"}`,
    );
  }
  return async (upgrade) => {
    const transport = await forwardTransport(upgrade);
    const { name, uid = "" } = pod.metadata;
    const connect = (port: number, signal: AbortSignal): Promise<Duplex> => face.streams.connect(pod, port, signal);
    await servePortForward({ transport, pod: { name, uid }, connect, clock, log });
  };
}

/** SPDY inside a WebSocket where the client can do that, else as it is. */
async function forwardTransport(upgrade: Upgrade): Promise<Duplex> {
  if (upgradeKind(upgrade.request) === "spdy") {
    acceptSpdy(upgrade, [portForwardProtocol]);
    return upgrade.socket;
  }
  const { socket } = await acceptWebSocket(upgrade, [`SPDY/3.1+${portForwardProtocol}`], false);
  const transport = createWebSocketStream(socket);
  // Its end is the end, also while nothing is read.
  upgrade.socket.once("close", () => transport.destroy());
  return transport;
}
