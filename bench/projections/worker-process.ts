import { openPool } from '../contenders/pg-pool.js';
import { runWorker } from '../run-worker.js';
import { defineBalances } from './projection.js';
import type { StatementPer } from './read-model.js';

const { STORE_URL = '', STATEMENT_PER = 'event', PAGE_SIZE } = process.env;

const pool = openPool(STORE_URL);
const pageSize = PAGE_SIZE === undefined ? undefined : Number(PAGE_SIZE);
await runWorker({ projections: [defineBalances(pool, STATEMENT_PER as StatementPer, pageSize)] });
await pool.end();
