import { Button, Text } from '@mantine/core';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useChange } from '../api';
import { Confirm, useNotify } from '../shared';
import { RevokeTokenMutation } from './operations';
import type { TokenRow } from './operations';
import { words } from './words';

/** The button that revokes one token. */
export function RevokeToken({ token }: { readonly token: TokenRow }): ReactNode {
  const [isAsking, setIsAsking] = useState(false);
  return (
    <>
      <Button
        size="xs"
        variant="default"
        aria-label={words.revokeOf(token.name)}
        onClick={() => setIsAsking(true)}
      >
        {words.revoke}
      </Button>
      {isAsking ? <RevokeDialog token={token} onClose={() => setIsAsking(false)} /> : null}
    </>
  );
}

interface RevokeDialogProps {
  readonly token: TokenRow;
  readonly onClose: () => void;
}

function RevokeDialog({ token, onClose }: RevokeDialogProps): ReactNode {
  const notify = useNotify();
  const change = useChange(RevokeTokenMutation, {
    payload: (data) => data.revokeApiToken,
    touches: ['ApiToken', 'ApiTokenConnection'],
  });
  const confirm = async (): Promise<void> => {
    const outcome = await change.run({ input: { apiToken: token.id } });
    if (outcome.isDone) {
      notify({ kind: 'status', text: words.revoked(token.name) });
      onClose();
    }
  };
  const title = words.revokeTitle(token.name);
  return (
    <Confirm isOpen {...{ onClose, title, change }} act={words.revoke} onConfirm={() => void confirm()}>
      <Text size="sm">{words.revokeText}</Text>
    </Confirm>
  );
}
