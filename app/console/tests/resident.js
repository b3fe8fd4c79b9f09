import { env, stderr, stdin, stdout } from 'node:process';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { createVitest } from 'vitest/node';

/**
 * Runs journeys one after the other in one browser, since to start vitest and a browser takes as long as a journey.
 * Only `tests/support/journeys.py` starts it.
 *
 * Each line of the input is `{"journey": path, "address": of the server}` in JSON, and each line of the output is
 * `{"journey": path, "failures": texts}`. Whatever else writes to the output writes to the standard error. It ends with
 * its input.
 */

const answer = stdout.write.bind(stdout);
stdout.write = stderr.write.bind(stderr);

const nowhere = () =>
  new Writable({
    write(_chunk, _encoding, done) {
      done();
    },
  });

const vitest = await createVitest(
  'test',
  { config: 'tests/vitest.config.ts', watch: false },
  {},
  { stdout: nowhere(), stderr: nowhere() },
);
await vitest.standalone();

const described = (name, error) => [`${name}: ${error.stack ?? error.message}`, error.diff ?? ''].join('\n');

/** Returns what failed in a module: in its tests, or before them. */
function failuresOf(module) {
  const tests = [...module.children.allTests()].filter((each) => each.result().state === 'failed');
  return [
    ...module.errors().map((error) => described(module.moduleId, error)),
    ...tests.flatMap((each) => each.result().errors.map((error) => described(each.fullName, error))),
  ];
}

/** Runs a journey, and returns what failed. The result has the modules of earlier runs too. */
async function run(journey) {
  const specifications = await vitest.globTestSpecifications([journey]);
  const { testModules, unhandledErrors } = await vitest.runTestSpecifications(specifications);
  const own = testModules.filter(({ moduleId }) => specifications.some((each) => each.moduleId === moduleId));
  const failures = [
    ...unhandledErrors.map((error) => described('unhandled', error)),
    ...own.flatMap(failuresOf),
  ];
  const succeeded = own.length === 1 && own.every((each) => each.ok());
  return succeeded || failures.length > 0 ? failures : [`${journey} is no journey, or has no test`];
}

for await (const line of createInterface({ input: stdin })) {
  const { journey, address } = JSON.parse(line);
  env['ADDRESS'] = address;
  answer(`${JSON.stringify({ journey, failures: await run(journey) })}\n`);
}
await vitest.close();
