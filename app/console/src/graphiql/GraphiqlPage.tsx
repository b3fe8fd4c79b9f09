import { VisuallyHidden, useMantineColorScheme } from '@mantine/core';
import { GraphiQL, HISTORY_PLUGIN } from 'graphiql';
import { useEffect, useRef, useState } from 'react';
import type { ReactNode } from 'react';
import { useClient } from 'urql';
import { useSession } from '../api';
import { Failures, Waiting } from '../shared';
import { AnswerBar } from './AnswerBar';
import { forgetTold } from './answers';
import { makeFetcher } from './fetcher';
import { WhoQuery } from './operations';
import { PANEL } from './Panel';
import { WELCOME } from './starters';
import { makeOpener } from './storage';
import { useTabRoles } from './useTabRoles';
import { words } from './words';

const openStorage = makeOpener();
const PLUGINS = [HISTORY_PLUGIN, PANEL];

/** GraphiQL for the user who is signed in. With each new session it starts again. */
export function GraphiqlPage(): ReactNode {
  const session = useSession();
  switch (session.status) {
    case 'loading':
      return <Waiting />;
    case 'failed':
      return <Failures failures={session.failures} onAgain={session.again} />;
    case 'anonymous':
      return <Workbench key="anonymous" userId={null} />;
    case 'over':
    case 'signedIn':
      return <Workbench key={session.user.id} userId={session.user.id} />;
  }
}

/** Ask who the requests run as, after a doubt and when the page gets the focus. */
function useCheck(): () => void {
  const client = useClient();
  const [check] = useState(() => () => {
    void client.query(WhoQuery, {}, { requestPolicy: 'network-only' }).toPromise();
  });
  useEffect(() => {
    window.addEventListener('focus', check);
    return () => window.removeEventListener('focus', check);
  }, [check]);
  return check;
}

function Workbench({ userId }: { readonly userId: string | null }): ReactNode {
  const check = useCheck();
  const { colorScheme } = useMantineColorScheme();
  const [storage] = useState(() => openStorage(userId));
  const [fetcher] = useState(() => makeFetcher(userId, check));
  const page = useRef<HTMLElement>(null);
  useTabRoles(page);
  useEffect(() => forgetTold, []);
  return (
    <main className="ostiary-page" ref={page}>
      <VisuallyHidden component="h1">{words.title}</VisuallyHidden>
      <GraphiQL
        fetcher={fetcher}
        storage={storage}
        plugins={PLUGINS}
        visiblePlugin={PANEL}
        defaultQuery={WELCOME}
        shouldPersistHeaders={false}
        forcedTheme={colorScheme === 'auto' ? 'system' : colorScheme}
        schemaDescription
        inputValueDeprecation
      >
        <GraphiQL.Logo>
          <a href="./">{words.toConsole}</a>
        </GraphiQL.Logo>
        <GraphiQL.Footer>
          <AnswerBar />
        </GraphiQL.Footer>
      </GraphiQL>
    </main>
  );
}
