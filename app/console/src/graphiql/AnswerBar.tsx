import { Button } from '@mantine/core';
import { useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import type { ReactNode } from 'react';
import { shortBytes } from '../shared';
import { executorOf } from './answer';
import type { Answer } from './answer';
import { useTold } from './answers';
import { words } from './words';

const figures = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });

/** What is known of the last answer: status, time, statistics, executor; and the next page of its list. */
export function AnswerBar(): ReactNode {
  const { answer } = useTold();
  return (
    <section className="ostiary-answer" aria-label={words.facts} aria-live="polite">
      {answer === null ? null : <Facts answer={answer} />}
    </section>
  );
}

function Facts({ answer }: { readonly answer: Answer }): ReactNode {
  const { status, milliseconds, bytes, stats, executor, nextCursor } = answer;
  const ran = executor === null ? null : executorOf(executor);
  return (
    <>
      <span>{words.status(status)}</span>
      <span>{words.took(figures.format(milliseconds))}</span>
      <span>{shortBytes(bytes)}</span>
      <dl>
        {stats.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {ran === null ? null : <span>{words.executor(ran.name, ran.reason)}</span>}
      {nextCursor === null ? null : <NextPage cursor={nextCursor} />}
    </>
  );
}

/** Return the variables with another cursor; null if they are no object. */
function withCursor(text: string, after: string): string | null {
  try {
    const variables: unknown = JSON.parse(text.trim() === '' ? '{}' : text);
    return typeof variables === 'object' && variables !== null && !Array.isArray(variables)
      ? JSON.stringify({ ...variables, after }, null, 2)
      : null;
  } catch {
    return null;
  }
}

const TAKES_CURSOR = /\$after\b/;

/** Runs the operation again for the next page, if it has the variable `$after`. */
function NextPage({ cursor }: { readonly cursor: string }): ReactNode {
  const { run } = useGraphiQLActions();
  const editors = useGraphiQL(({ queryEditor, variableEditor }) => ({ queryEditor, variableEditor }));
  const { queryEditor, variableEditor } = editors;
  if (
    queryEditor === undefined ||
    variableEditor === undefined ||
    !TAKES_CURSOR.test(queryEditor.getValue())
  ) {
    return null;
  }
  const go = (): void => {
    const variables = withCursor(variableEditor.getValue(), cursor);
    if (variables !== null) {
      variableEditor.setValue(variables);
      void run();
    }
  };
  return (
    <Button size="compact-sm" variant="default" onClick={go}>
      {words.nextPage}
    </Button>
  );
}
