import { Stack, Switch, Text } from '@mantine/core';
import { IconCheck } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useEditedNote } from '../shared';
import classes from './Access.module.css';
import { withRole } from './draft';
import type { Entry } from './draft';
import type { RoleInfo } from './fragments';
import { bringersOf } from './roles';
import { words } from './words';

interface RoleSwitchesProps {
  /** What the table is called: the subject. */
  readonly label: string;
  readonly roles: readonly RoleInfo[];
  readonly entry: Entry;
  readonly onChange: (entry: Entry) => void;
  readonly isDisabled: boolean;
}

/** A switch for each role of the type. A role that another one brings along is ticked and greyed. */
export function RoleSwitches({ label, roles, entry, onChange, isDisabled }: RoleSwitchesProps): ReactNode {
  useEditedNote([...entry.roles].sort().join());
  return (
    <table className={classes['roles'] ?? ''} aria-label={label}>
      <thead>
        <tr>
          <th scope="col">{words.role}</th>
          <th scope="col" className={classes['text'] ?? ''}>
            {words.description}
          </th>
          <th scope="col" className={classes['granted'] ?? ''}>
            {words.granted}
          </th>
        </tr>
      </thead>
      <tbody>
        {roles.map((info) => {
          const bringers = bringersOf(info.role, entry.roles, roles);
          const isImplied = bringers.length > 0;
          return (
            <tr key={info.role}>
              <th scope="row">{info.label}</th>
              <td className={classes['text'] ?? ''}>{info.description}</td>
              <td className={classes['granted'] ?? ''}>
                <Stack gap={2}>
                  <Switch
                    aria-label={info.label}
                    checked={isImplied || entry.roles.has(info.role)}
                    thumbIcon={
                      isImplied ? (
                        <IconCheck size={12} stroke={3} color="var(--mantine-color-dimmed)" aria-hidden />
                      ) : null
                    }
                    disabled={isDisabled || isImplied}
                    onChange={(event) => onChange(withRole(entry, info.role, event.currentTarget.checked))}
                  />
                  {isImplied ? (
                    <Text size="xs" c="dimmed">
                      {words.comesWith(bringers.map((bringer) => bringer.label))}
                    </Text>
                  ) : null}
                </Stack>
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
