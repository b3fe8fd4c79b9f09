import type { ReactNode } from 'react';
import type { OrgLevel } from '../api';
import { SelectField, withLabels } from '../shared';
import type { Level } from './operations';
import { memberWords as words } from './words';

interface LevelFieldProps {
  readonly levels: readonly Level[];
  readonly value: OrgLevel;
  readonly onChange: (level: OrgLevel) => void;
  readonly isFirst?: boolean;
}

/** The level of a member, with what it lets them do. */
export function LevelField({ levels, value, onChange, isFirst = false }: LevelFieldProps): ReactNode {
  const text = levels.find(({ level }) => level === value)?.description;
  const labels = new Map<string, string>(levels.map(({ level, label }) => [level, label]));
  return (
    <SelectField
      path="level"
      label={words.level}
      {...(text === undefined ? {} : { description: withLabels(text, labels) })}
      choices={levels.map(({ level, label }) => ({ value: level, label }))}
      value={value}
      onChange={onChange}
      isFirst={isFirst}
    />
  );
}
