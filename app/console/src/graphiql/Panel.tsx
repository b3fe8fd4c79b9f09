import { Alert, Button, Modal, Stack, Text, Title } from '@mantine/core';
import { useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { IconDoor } from '@tabler/icons-react';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useSession } from '../api';
import { SignInForm, SignOutDialog } from '../session';
import { useTold } from './answers';
import { Drafts } from './Drafts';
import { STARTERS } from './starters';
import { words } from './words';

type Open = (query: string, variables: string) => void;

/** Return the function that opens an operation in a tab of its own; null until the editors are loaded. */
function useOpen(): Open | null {
  const { addTab } = useGraphiQLActions();
  const queryEditor = useGraphiQL((state) => state.queryEditor);
  const variableEditor = useGraphiQL((state) => state.variableEditor);
  const hasResponse = useGraphiQL((state) => state.responseEditor !== undefined);
  if (queryEditor === undefined || variableEditor === undefined || !hasResponse) {
    return null;
  }
  return (query, variables) => {
    addTab();
    queryEditor.setValue(query);
    variableEditor.setValue(variables);
    queryEditor.focus();
  };
}

/** Our panel: who is signed in, operations to begin with, a first draft for any field. */
function Panel(): ReactNode {
  const open = useOpen();
  const { schemaProblem } = useTold();
  return (
    <Stack className="ostiary-panel" gap="lg">
      <Session />
      {schemaProblem === null ? null : (
        <Alert color="yellow" variant="light" role="status">
          <Text size="sm">{words.schemaProblem(schemaProblem)}</Text>
        </Alert>
      )}
      <Part title={words.starters}>
        {STARTERS.map(({ title, about, query, variables }) => (
          <Stack key={title} gap={0} align="flex-start">
            <Button
              size="compact-sm"
              variant="default"
              disabled={open === null}
              onClick={() => open?.(query, variables)}
            >
              {title}
            </Button>
            <Text size="xs" c="dimmed">
              {about}
            </Text>
          </Stack>
        ))}
      </Part>
      <Part title={words.drafts}>
        <Drafts onOpen={open} />
      </Part>
      <Text size="xs" c="dimmed">
        {words.privacy}
      </Text>
    </Stack>
  );
}

export const PANEL = {
  title: words.plugin,
  icon: () => <IconDoor aria-hidden />,
  content: Panel,
};

interface PartProps {
  readonly title: string;
  readonly children: ReactNode;
}

function Part({ title, children }: PartProps): ReactNode {
  return (
    <Stack component="section" gap="xs" aria-label={title}>
      <Title order={2} size="h5">
        {title}
      </Title>
      {children}
    </Stack>
  );
}

function Session(): ReactNode {
  const session = useSession();
  const [dialog, setDialog] = useState<'in' | 'out' | null>(null);
  const close = (): void => setDialog(null);
  const isSignedIn = session.status === 'signedIn';
  return (
    <Part title={words.session}>
      <Text size="sm" role="status">
        {isSignedIn ? words.signedInAs(session.user.userName) : null}
        {session.status === 'anonymous' ? (session.isEnded ? words.ended : words.anonymous) : null}
        {session.status === 'over' ? words.ended : null}
      </Text>
      <Button size="compact-sm" w="fit-content" onClick={() => setDialog(isSignedIn ? 'out' : 'in')}>
        {isSignedIn ? words.signOut : words.signIn}
      </Button>
      <Modal opened={dialog === 'in'} onClose={close} title={words.signIn}>
        <SignInForm />
      </Modal>
      {dialog === 'out' ? <SignOutDialog onClose={close} /> : null}
    </Part>
  );
}
