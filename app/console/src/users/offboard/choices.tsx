import { Checkbox, Radio, Stack } from '@mantine/core';
import type { ReactNode } from 'react';
import { words } from './words';

const HOWS = ['deactivate', 'delete'] as const;
type HowValue = (typeof HOWS)[number];

export interface Fields {
  readonly successor: string;
  readonly how: HowValue;
  readonly removesMemberships: boolean;
  readonly revokesTokens: boolean;
}

interface HowProps {
  readonly value: HowValue;
  readonly onChange: (how: HowValue) => void;
}

/** Deactivate or delete. */
export function How({ value, onChange }: HowProps): ReactNode {
  return (
    <Radio.Group
      label={words.how}
      value={value}
      onChange={(chosen) => onChange(HOWS.find((each) => each === chosen) ?? 'deactivate')}
    >
      <Stack gap="xs" mt="xs">
        {HOWS.map((how) => (
          <Radio key={how} value={how} label={words.hows[how]} />
        ))}
      </Stack>
    </Radio.Group>
  );
}

interface AlsoProps {
  readonly values: Fields;
  readonly set: (name: 'removesMemberships' | 'revokesTokens') => (value: boolean) => void;
}

/** What else ends with the account when it is deactivated. */
export function Also({ values, set }: AlsoProps): ReactNode {
  return (
    <Stack gap="xs">
      <Checkbox
        label={words.memberships_}
        checked={values.removesMemberships}
        onChange={(event) => set('removesMemberships')(event.currentTarget.checked)}
      />
      <Checkbox
        label={words.tokens_}
        checked={values.revokesTokens}
        onChange={(event) => set('revokesTokens')(event.currentTarget.checked)}
      />
    </Stack>
  );
}
