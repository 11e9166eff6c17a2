import pg, { type Client, type ClientConfig } from 'pg';
import { cutOffLater, watchClient } from './client-facts.js';
import type { Hosts } from './hosts.js';
import { cutOffOnError } from './pg-internals.js';

type Connected = ((error: Error) => void) | ((error: null, client: Client) => void);

/** The class of the clients in a store's own pools: each connects to the current host, and reports a wrong one. */
export function storeClient(hosts: Hosts): new (config?: ClientConfig) => Client {
  return class StoreClient extends pg.Client {
    readonly #host: string;

    constructor(config?: ClientConfig) {
      const host = hosts.current;
      super({ ...config, connectionString: host });
      this.#host = host;
      watchClient(this, performance.now());
      cutOffOnError(this);
    }

    override connect(): Promise<Client>;
    override connect(callback: Connected): void;
    override connect(callback?: Connected): Promise<Client> | undefined {
      if (callback === undefined) {
        return new Promise((resolve, reject) => {
          this.#connect((failure) => {
            if (failure === undefined) resolve(this);
            else reject(failure);
          });
        });
      }
      this.#connect((failure) => {
        (callback as (error: Error | undefined, client?: Client) => void)(failure, this);
      });
      return undefined;
    }

    override end(): Promise<void>;
    override end(callback: (error: Error) => void): void;
    override end(callback?: (error: Error) => void): Promise<void> | undefined {
      cutOffLater(this);
      if (callback === undefined) return super.end();
      super.end(callback);
      return undefined;
    }

    #connect(done: (failure: Error | undefined) => void): void {
      super.connect((error: Error | null | undefined) => {
        const refusal = hosts.refusalOf(watchClient(this, 0));
        if (error == null && refusal === undefined) {
          done(undefined);
          return;
        }
        hosts.moveOnFrom(this.#host);
        if (error == null) void this.end();
        done(error ?? new Error(refusal));
      });
    }
  };
}
