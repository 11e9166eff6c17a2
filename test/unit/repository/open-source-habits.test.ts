import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { parse } from 'yaml';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const readYaml = (file: string): unknown => parse(read(file));

const { engines } = JSON.parse(read('package.json')) as { engines: { node: string } };
const nodeOfContributors = read('.nvmrc').trim();

interface Workflow {
  permissions: unknown;
  jobs: {
    ci: {
      strategy: { matrix: { node: number[] } };
      steps: { run?: string; with?: Record<string, unknown> }[];
    };
  };
}

interface IssueForm {
  name: string;
  description: string;
  body: { type: string; id?: string; validations?: { required: boolean } }[];
}

const issueForms = readdirSync(join(root, '.github/ISSUE_TEMPLATE')).filter((name) => name !== 'config.yml');

it('runs .ci/run on Node 20, 22 and 24, and may only read', () => {
  const { permissions, jobs } = readYaml('.github/workflows/ci.yml') as Workflow;
  const { strategy, steps } = jobs.ci;
  expect(strategy.matrix.node).toEqual([20, 22, 24]);
  expect(steps.flatMap((step) => step.with?.['node-version'] ?? [])).toEqual(['${{ matrix.node }}']);
  expect(steps.flatMap((step) => step.run ?? [])).toEqual(['.ci/run']);
  expect(permissions).toEqual({ contents: 'read' });
});

it('is developed on the oldest line of Node that users may have', () => {
  expect(engines.node).toMatch(new RegExp(`^>=${nodeOfContributors}\\.\\d+\\.\\d+$`));
});

it.each(issueForms)('has an issue form in %s that GitHub can show', (file) => {
  const { name, description, body } = readYaml(`.github/ISSUE_TEMPLATE/${file}`) as IssueForm;
  expect([name, description]).not.toContain(undefined);
  const questions = body.filter(({ type }) => type !== 'markdown');
  const ids = questions.map(({ id }) => id);
  expect(ids).not.toContain(undefined);
  expect(new Set(ids).size).toBe(ids.length);
});

it('takes no report of a bug without its versions and a reproduction', () => {
  const { body } = readYaml('.github/ISSUE_TEMPLATE/bug.yml') as IssueForm;
  const required = body.flatMap(({ id, validations }) => (validations?.required === true ? [id] : []));
  expect(required).toEqual(
    expect.arrayContaining([
      'reproduction',
      'library',
      'node',
      'postgres',
      'temporal-server',
      'temporal-sdk',
    ]),
  );
});
