import { Client, Connection, type ConnectionOptions, type DataConverter } from '@temporalio/client';
import { InvalidArgumentError } from 'temporal-event-store';

export interface TemporalClientFactoryOptions {
  /** Default `localhost`. */
  readonly host?: string;
  /** Default 7233. */
  readonly port?: number;
  /** Default `default`. */
  readonly namespace?: string;
  /** True for a server whose certificate the system trusts; certificates of your own otherwise. Default: none. */
  readonly tls?: ConnectionOptions['tls'];
  /** For encryption, or a converter of your own. Default: Temporal's, which is JSON. */
  readonly dataConverter?: DataConverter;
  /** How long to wait for the server, in milliseconds. Default 10,000. */
  readonly connectTimeout?: number;
}

/** Makes clients of one Temporal server, and closes their connection. */
export class TemporalClientFactory {
  readonly #options: TemporalClientFactoryOptions;
  readonly #address: string;
  #connection: Promise<Connection> | undefined;

  /** @throws InvalidArgumentError for a host, port or namespace that can't be one */
  constructor(options: TemporalClientFactoryOptions = {}) {
    const { host = 'localhost', port = 7233, namespace = 'default' } = options;
    if (!/^[^\s/@]+$/.test(host)) {
      throw new InvalidArgumentError(`'${host}' is no host: give a name or an IP address, without a port.`);
    }
    if (!Number.isInteger(port) || port < 1 || port > 65_535) {
      throw new InvalidArgumentError(`${port} is no port: give a whole number from 1 to 65535.`);
    }
    if (namespace === '') {
      throw new InvalidArgumentError('The namespace is empty: leave it out for `default`.');
    }
    this.#options = { ...options, namespace };
    this.#address = `${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${port}`;
  }

  /**
   * A client; all of a factory share one connection.
   *
   * @throws TransportError, of Temporal, when the server can't be reached
   */
  async createClient(): Promise<Client> {
    const { namespace, dataConverter } = this.#options;
    this.#connection ??= this.#connect();
    const connection = await this.#connection;
    return new Client({
      connection,
      ...(namespace !== undefined && { namespace }),
      ...(dataConverter !== undefined && { dataConverter }),
    });
  }

  /** Closes the connection. The factory makes a new one when it is asked again. */
  async close(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    await (await connection)?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #connect(): Promise<Connection> {
    const { tls, connectTimeout = 10_000 } = this.#options;
    try {
      return await Connection.connect({
        address: this.#address,
        connectTimeout,
        ...(tls !== undefined && { tls }),
      });
    } catch (error) {
      // The next call tries again.
      this.#connection = undefined;
      throw error;
    }
  }
}
