/** The little of node-postgres that the peer needs; its types are a package of their own. */
declare module 'pg' {
  export class Pool {
    constructor(options: { connectionString: string; max: number });
    // Kysely, inside the peer, uses the rest of the pool; the benchmark itself only makes and ends it.
    connect(): Promise<never>;
    end(): Promise<void>;
  }
}
