import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useClient } from 'urql';
import { outcomeOf } from '../api';
import type { OrgLevel, Outcome } from '../api';
import { BulkDialog, EndsField } from '../shared';
import type { Selected } from '../shared';
import { RemoveOrgMemberMutation, UpdateOrgMemberMutation } from './changes';
import { LevelField } from './MemberDialogs';
import type { Level, Org } from './operations';
import { memberWords as words } from './words';

export type BulkKind = 'bulkLevel' | 'bulkEnds' | 'bulkRemove';

interface BulkMembersProps {
  readonly kind: BulkKind;
  readonly org: Org;
  readonly levels: readonly Level[];
  readonly items: readonly Selected[];
  readonly onClose: () => void;
}

/** What the ticked members get. */
interface Values {
  readonly level: OrgLevel;
  readonly expiresAt: string | null;
}

function useAct(kind: BulkKind, org: Org, { level, expiresAt }: Values) {
  const client = useClient();
  const context = { additionalTypenames: ['Org', 'User', 'OrgMemberConnection'] };
  return async ({ id }: Selected): Promise<Outcome<unknown>> => {
    const whom = { org: { id: org.id }, user: { id } };
    if (kind === 'bulkRemove') {
      const result = await client.mutation(RemoveOrgMemberMutation, { input: whom }, context).toPromise();
      return outcomeOf(result, (data) => data.removeOrgMember);
    }
    const end = expiresAt === null ? { clear: ['EXPIRES_AT' as const] } : { expiresAt };
    const input = { ...whom, ...(kind === 'bulkLevel' ? { level } : end) };
    const result = await client.mutation(UpdateOrgMemberMutation, { input }, context).toPromise();
    return outcomeOf(result, (data) => data.updateOrgMember);
  };
}

/** Sets the level or the end of the ticked members, or removes them: first what, then one after another. */
export function BulkMembers({ kind, org, levels, items, onClose }: BulkMembersProps): ReactNode {
  const [values, setValues] = useState<Values>({ level: 'READ_ONLY', expiresAt: null });
  const [isChosen, setIsChosen] = useState(kind === 'bulkRemove');
  const [isValid, setIsValid] = useState(true);
  const act = useAct(kind, org, values);
  const title = words[kind](items.length);
  const label = levels.find(({ level }) => level === values.level)?.label ?? values.level;
  if (isChosen) {
    const text = {
      bulkLevel: words.levelText(label),
      bulkEnds: words.endsText,
      bulkRemove: words.removeText,
    };
    return (
      <BulkDialog {...{ title, items, act, onClose }}>
        <Text size="sm">{text[kind]}</Text>
      </BulkDialog>
    );
  }
  return (
    <Modal opened onClose={onClose} title={title}>
      <Stack>
        {kind === 'bulkLevel' ? (
          <LevelField
            levels={levels}
            value={values.level}
            onChange={(level) => setValues((old) => ({ ...old, level }))}
          />
        ) : (
          <EndsField
            value={values.expiresAt}
            onChange={(expiresAt) => setValues((old) => ({ ...old, expiresAt }))}
            onValidity={setIsValid}
          />
        )}
        <Group justify="flex-end">
          <Button disabled={!isValid} onClick={() => setIsChosen(true)}>
            {words.next}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
