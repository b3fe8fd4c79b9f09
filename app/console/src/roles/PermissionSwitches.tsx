import { Fieldset, Stack, Switch } from '@mantine/core';
import type { ReactNode } from 'react';
import { useViewer } from '../api';
import type { Permission } from '../api';
import { withLabels } from '../shared';
import type { PermissionInfo } from './operations';
import { words } from './words';

interface PermissionSwitchesProps {
  readonly all: readonly PermissionInfo[];
  readonly value: readonly Permission[];
  readonly isDisabled?: boolean;
  readonly onChange: (value: readonly Permission[]) => void;
}

/** The permissions as switches with their descriptions. Those that the viewer does not hold are greyed. */
export function PermissionSwitches(props: PermissionSwitchesProps): ReactNode {
  const { all, value, isDisabled = false, onChange } = props;
  const own = useViewer()?.permissions ?? [];
  const labels = new Map<string, string>([
    ['ADMIN', words.admin],
    ...all.map((each) => [each.permission, each.label] as const),
  ]);
  return (
    <Fieldset legend={words.permissions}>
      <Stack gap="sm">
        {all.map(({ permission, label, description: text }) => {
          const isHeld = own.includes(permission);
          const description = withLabels(text, labels);
          return (
            <Switch
              key={permission}
              label={label}
              description={isHeld || isDisabled ? description : `${description} ${words.notYours}`}
              checked={value.includes(permission)}
              disabled={isDisabled || !isHeld}
              onChange={(event) =>
                onChange(
                  event.currentTarget.checked
                    ? [...value, permission]
                    : value.filter((each) => each !== permission),
                )
              }
            />
          );
        })}
      </Stack>
    </Fieldset>
  );
}
