import type { ReactNode } from 'react';
import type { OrgLevel } from '../api';
import { SelectField } from '../shared';
import type { Level } from './operations';
import { memberWords as words } from './words';

interface LevelFieldProps {
  readonly levels: readonly Level[];
  readonly value: OrgLevel;
  readonly onChange: (level: OrgLevel) => void;
}

/** The level of a member, with what it lets them do. */
export function LevelField({ levels, value, onChange }: LevelFieldProps): ReactNode {
  const description = levels.find(({ level }) => level === value)?.description;
  return (
    <SelectField
      path="level"
      label={words.level}
      {...(description === undefined ? {} : { description })}
      choices={levels.map(({ level, label }) => ({ value: level, label }))}
      value={value}
      onChange={onChange}
    />
  );
}
