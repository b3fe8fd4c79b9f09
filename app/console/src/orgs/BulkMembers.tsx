import { useState } from 'react';
import type { ReactNode } from 'react';
import { useClient } from 'urql';
import { outcomeOf } from '../api';
import type { OrgLevel } from '../api';
import { CheckedBulk, EndsField } from '../shared';
import type { CheckedAct, Selected } from '../shared';
import { RemoveOrgMemberMutation, UpdateOrgMemberMutation } from './changes';
import { LevelField } from './LevelField';
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

function useAct(kind: BulkKind, org: Org, { level, expiresAt }: Values): CheckedAct {
  const client = useClient();
  const context = { additionalTypenames: ['Org', 'User', 'OrgMemberConnection'] };
  return async ({ id }, validateOnly) => {
    const whom = { org: { id: org.id }, user: { id }, validateOnly };
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

function textOf({ kind, levels }: BulkMembersProps, { level }: Values): string {
  const label = levels.find((each) => each.level === level)?.label ?? level;
  const texts = { bulkLevel: words.levelText(label), bulkEnds: words.endsText, bulkRemove: words.removeText };
  return texts[kind];
}

/** Sets the level or the end of the ticked members, or removes them. */
export function BulkMembers(props: BulkMembersProps): ReactNode {
  const { kind, org, levels, items, onClose } = props;
  const [values, setValues] = useState<Values>({ level: 'READ_ONLY', expiresAt: null });
  const [isValid, setIsValid] = useState(true);
  const act = useAct(kind, org, values);
  return (
    <CheckedBulk
      {...{ items, act, onClose }}
      title={words[kind](items.length)}
      text={textOf(props, values)}
      isReady={isValid}
    >
      {kind === 'bulkLevel' ? (
        <LevelField
          levels={levels}
          value={values.level}
          onChange={(level) => setValues((old) => ({ ...old, level }))}
        />
      ) : null}
      {kind === 'bulkEnds' ? (
        <EndsField
          value={values.expiresAt}
          onChange={(expiresAt) => setValues((old) => ({ ...old, expiresAt }))}
          onValidity={setIsValid}
        />
      ) : null}
    </CheckedBulk>
  );
}
