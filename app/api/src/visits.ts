import { SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { Pool } from "pg";
import { connect, connection } from "./database.ts";

/** Who came, and which pod wrote it down; none for a visit that an older release recorded. */
export interface Visit {
  readonly at: string;
  readonly pod: string | null;
}

export interface VisitSummary {
  readonly total: number;
  /** The last five, latest first. */
  readonly latest: readonly Visit[];
}

/** Records a query as a span of the request that asks it: by a name, never by its values. Without tracing, nothing. */
async function traced<T>(name: string, query: () => Promise<T>): Promise<T> {
  const options = { kind: SpanKind.CLIENT, attributes: { "db.system.name": "postgresql" } };
  return trace.getTracer("slipway").startActiveSpan(name, options, async (span) => {
    try {
      return await query();
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR });
      throw error;
    } finally {
      span.end();
    }
  });
}

/** The visits in the database. */
export class Visits {
  readonly #pool: Pool;

  private constructor(url: string, onIdleError: (error: Error) => void) {
    this.#pool = new Pool({ ...connection(url), max: 5 });
    // A connection that breaks while nobody uses it is replaced; without a listener it would end the process.
    this.#pool.on("error", onIdleError);
  }

  /**
   * Makes sure that the database takes connections, so that a pod with a wrong address or password never becomes ready.
   *
   * @throws DatabaseError
   */
  static async open(url: string, onIdleError: (error: Error) => void): Promise<Visits> {
    await (await connect(url)).end();
    return new Visits(url, onIdleError);
  }

  async record(pod: string): Promise<void> {
    await traced("INSERT visits", () => this.#pool.query("INSERT INTO visits (pod) VALUES ($1)", [pod]));
  }

  async summary(): Promise<VisitSummary> {
    const { rows } = await traced("SELECT visits", () =>
      this.#pool.query<{ total: number; latest: Visit[] | null }>(`
      SELECT (SELECT count(*)::int FROM visits) AS total,
             (SELECT json_agg(json_build_object('at', at, 'pod', pod) ORDER BY id DESC)
                FROM (SELECT * FROM visits ORDER BY id DESC LIMIT 5) AS five) AS latest`),
    );
    return { total: rows[0]?.total ?? 0, latest: rows[0]?.latest ?? [] };
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }
}
