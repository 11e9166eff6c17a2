import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../dev/free-port.js';
import { gate } from './gated-store.js';
import { messageReader, requestReader, type Exchange } from './postgres-messages.js';

/** What becomes of an answer: it is passed on, or the client loses its connection instead. */
type Verdict = 'forward' | 'cut';

/** A proxy in front of a PostgreSQL server, whose network can be made as bad as need be. */
export interface TcpProxy {
  /** The same address, through this proxy. */
  url(base: string): string;
  /** How many clients are connected. */
  connections(): number;
  /** Resets all connections; new ones are welcome. */
  reset(): void;
  /** Keeps and accepts connections but forwards nothing either way, not even their end: half-open. */
  stall(): void;
  /** Forwards again, first of all what has come meanwhile. */
  resume(): void;
  /** Holds all that passes, either way, for so long. */
  delay(milliseconds: number): void;
  /** Leads new connections to the server of this address. */
  redirect(target: string): void;
  /** Refuses new connections. */
  refuse(): void;
  accept(): Promise<void>;
  /** Asked when the server has answered and the client has heard nothing of it yet. */
  onReply(hook: ((exchange: Exchange) => Verdict | Promise<Verdict>) | undefined): void;
  /** Cuts once, after the server has done what matches; fulfilled when that has happened. */
  cutAfter(matches: (exchange: Exchange) => boolean): Promise<Exchange>;
  close(): Promise<void>;
}

/** A proxy on 127.0.0.1 in front of the server of this address. */
export async function startTcpProxy(target: string): Promise<TcpProxy> {
  let upstreamServer = new URL(target);
  const port = await freePort();
  const sockets = new Map<Socket, Socket>();
  let latency = 0;
  let passage: ReturnType<typeof gate> | undefined;
  let hook: Parameters<TcpProxy['onReply']>[0];

  const server = createServer({ noDelay: true }, (client) => {
    const upstream = connect({
      host: upstreamServer.hostname,
      port: Number(upstreamServer.port),
      noDelay: true,
    });
    sockets.set(client, upstream);
    client.on('close', () => sockets.delete(client));
    for (const socket of [client, upstream]) socket.on('error', () => undefined);
    const requests = requestReader();
    void pump(client, upstream, (chunk) => {
      requests.read(chunk);
      return [chunk];
    });

    const split = messageReader('server');
    let held: Buffer[] = [];
    let tags: string[] = [];
    void pump(upstream, client, async (chunk) => {
      const released: Buffer[] = [];
      for (const { type, body, bytes } of split(chunk)) {
        held.push(bytes);
        if (type === 'C') tags.push(body.toString('utf8', 0, body.length - 1));
        const [sql] = requests.waiting;
        if (type === 'Z' && sql !== undefined) {
          requests.waiting.shift();
          const verdict = await hook?.({ sql, tags });
          tags = [];
          if (verdict === 'cut') {
            cut(client, upstream);
            return [];
          }
        } else if (hook !== undefined && sql !== undefined && type !== 'G') {
          // Until the answer is whole; but CopyInResponse is a question.
          continue;
        }
        released.push(...held);
        held = [];
      }
      return released;
    });
  });

  async function pump(
    from: Socket,
    to: Socket,
    pass: (chunk: Buffer) => Buffer[] | Promise<Buffer[]>,
  ): Promise<void> {
    const passed = async () => {
      if (latency > 0) await sleep(latency);
      await passage?.opened;
    };
    try {
      for await (const chunk of from) {
        const buffers = await pass(chunk as Buffer);
        await passed();
        if (buffers.length > 0 && !to.write(Buffer.concat(buffers))) await once(to, 'drain');
      }
    } catch {
      // A reset is passed on as an end.
    }
    await passed();
    to.destroy();
  }

  const listen = async () => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  };
  const reset = () => {
    for (const [client, upstream] of sockets) cut(client, upstream);
  };
  const resume = () => {
    passage?.open();
    passage = undefined;
  };
  await listen();
  return {
    url(base) {
      const url = new URL(base);
      url.host = `127.0.0.1:${port}`;
      return url.href;
    },
    connections: () => sockets.size,
    reset,
    stall: () => void (passage ??= gate()),
    resume,
    delay: (milliseconds) => void (latency = milliseconds),
    redirect: (newTarget) => void (upstreamServer = new URL(newTarget)),
    refuse: () => void server.close(),
    accept: listen,
    onReply: (newHook) => void (hook = newHook),
    cutAfter: (matches) =>
      new Promise((resolve) => {
        hook = (exchange) => {
          if (!matches(exchange)) return 'forward';
          hook = undefined;
          resolve(exchange);
          return 'cut';
        };
      }),
    async close() {
      if (server.listening) server.close();
      reset();
      resume();
    },
  };
}

function cut(client: Socket, upstream: Socket): void {
  client.resetAndDestroy();
  upstream.destroy();
}
