import { useEffect, useEffectEvent, useMemo, useState } from 'react';
import type { ReactNode } from 'react';
import { Provider, useQuery } from 'urql';
import { connect } from './client';
import type { Connection } from './client';
import { failuresOf } from './errors';
import { FrameQuery } from './operations';
import { SessionContext } from './session';
import type { Session, SessionControls } from './session';
import { forgetTabTexts } from './tabTexts';
import { listenToTabs, tellTabs } from './tabs';
import type { TabMessage } from './tabs';
import { keptAfter, useLast } from './useLast';
import { hasUnsaved } from './unsaved';

interface Era {
  readonly number: number;
  readonly isEnded: boolean;
}

type Renew = (isEnded: boolean) => void;

/** Holds the session. With each new session everything below starts again, with an empty memory. */
export function SessionRoot({ children }: { readonly children: ReactNode }): ReactNode {
  const [era, setEra] = useState<Era>({ number: 0, isEnded: false });
  const [renew] = useState<Renew>(() => (isEnded: boolean) => {
    forgetTabTexts();
    setEra(({ number }) => ({ number: number + 1, isEnded }));
  });
  return (
    <SessionEra key={era.number} isEnded={era.isEnded} renew={renew}>
      {children}
    </SessionEra>
  );
}

interface EraProps {
  readonly isEnded: boolean;
  readonly renew: Renew;
  readonly children: ReactNode;
}

function SessionEra({ isEnded, renew, children }: EraProps): ReactNode {
  const [isOver, setIsOver] = useState(false);
  const [connection] = useState(() =>
    connect({
      onOver: () => (hasUnsaved() ? setIsOver(true) : renew(true)),
      onOther: () => renew(false),
    }),
  );
  return (
    <Provider value={connection.client}>
      <SessionProvider {...{ connection, isEnded, isOver, setIsOver, renew }}>{children}</SessionProvider>
    </Provider>
  );
}

interface ProviderProps extends EraProps {
  readonly connection: Connection;
  readonly isOver: boolean;
  readonly setIsOver: (isOver: boolean) => void;
}

function SessionProvider({
  connection,
  isEnded,
  isOver,
  setIsOver,
  renew,
  children,
}: ProviderProps): ReactNode {
  const { session, passwordPolicy } = useFrame(isEnded, isOver);
  const userId = 'user' in session ? session.user.id : null;

  const onEntered = useEffectEvent((id: string) => {
    if (session.status === 'over' && id === userId) {
      setIsOver(false);
      connection.resume();
    } else if (id !== userId) {
      renew(false);
    }
  });
  const onMessage = useEffectEvent((message: TabMessage) => {
    if (message.kind === 'signedIn') {
      onEntered(message.userId);
    } else if (userId !== null) {
      if (hasUnsaved()) {
        setIsOver(true);
      } else {
        renew(true);
      }
    }
  });
  useEffect(() => listenToTabs((message) => onMessage(message)), []);

  const controls = useMemo<SessionControls>(
    () => ({
      session,
      passwordPolicy,
      enter: (id) => {
        tellTabs({ kind: 'signedIn', userId: id });
        if (session.status === 'over' && id === session.user.id) {
          setIsOver(false);
          connection.resume();
        } else {
          renew(false);
        }
      },
      leave: () => {
        tellTabs({ kind: 'signedOut' });
        renew(false);
      },
    }),
    [session, passwordPolicy, connection, setIsOver, renew],
  );
  return <SessionContext value={controls}>{children}</SessionContext>;
}

function useFrame(isEnded: boolean, isOver: boolean): Pick<SessionControls, 'session' | 'passwordPolicy'> {
  const [{ data: read, error, fetching, stale }, ask] = useQuery({ query: FrameQuery });
  const failures = error === undefined ? [] : failuresOf(error, 'read');
  const last = useLast('', error === undefined && !fetching && !stale ? read : undefined, failures);
  // A server that does not answer ends no session: the page and what was typed there stay.
  const data = read ?? keptAfter(failures, last) ?? undefined;
  const session = useMemo<Session>(() => {
    if (data !== undefined) {
      const { viewer } = data;
      if (viewer.user === null) {
        return { status: 'anonymous', viewer, isEnded };
      }
      return { status: isOver ? 'over' : 'signedIn', viewer, user: viewer.user };
    }
    if (error === undefined || fetching) {
      return { status: 'loading' };
    }
    const again = (): void => ask({ requestPolicy: 'network-only' });
    return { status: 'failed', failures: failuresOf(error, 'read'), again };
  }, [data, error, fetching, isEnded, isOver, ask]);
  return { session, passwordPolicy: data?.registry.passwordPolicy ?? null };
}
