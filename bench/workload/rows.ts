import { types } from './events.js';

export interface RowShape {
  readonly count: number;
  readonly perStream: number;
  /** Of the streams' ids. */
  readonly prefix?: string;
  /** Refs start above it. */
  readonly after?: number;
}

/**
 * A query for events like those of `events.ts`, to fill a store in one statement: `ref`, `stream_id`, `version`,
 * `type`, `data`, `correlation_id`, `tags`, `metadata`, and, for stores that have no tags, `metadata_with_tags`.
 */
export function rowsSql(shape: RowShape): string {
  const { count, perStream, prefix = 'account-f', after = 0 } = shape;
  const tags = "array['branch:' || n % 1000]";
  const typeNames = types.map((type) => `'${type}'`).join(', ');
  return `
    select
      n as ref, '${prefix}' || ((n - ${after} - 1) / ${perStream}) as stream_id,
      (n - ${after} - 1) % ${perStream} + 1 as version, (array[${typeNames}])[n % ${types.length} + 1] as type,
      ${dataSql} as data, 'transfer-' || n / 4 as correlation_id, ${tags} as tags,
      format('{"correlationId":"transfer-%s"}', n / 4) as metadata,
      format('{"correlationId":"transfer-%s","tags":%s}', n / 4, to_json(${tags})) as metadata_with_tags
    from generate_series(${after + 1}::bigint, ${after + count}) n`;
}

const dataSql = `format(
  '{"ref":%s,"amount":%s,"currency":"EUR","from":"DE89370400440532013000","to":"FR1420041010050500013M02606",'
  '"reference":"Invoice 2026-%s of the past month","channel":"online","approved":true}', n, n % 100000, n)`;
