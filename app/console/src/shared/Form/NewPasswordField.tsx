import type { ReactNode } from 'react';
import { usePasswordPolicy } from '../../api';
import { PasswordField } from './fields';
import { passwordRules } from './passwordRules';

interface NewPasswordFieldProps {
  readonly path: string;
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly isFirst?: boolean;
}

/** A password that is set: it says what the registry requires. */
export function NewPasswordField(props: NewPasswordFieldProps): ReactNode {
  const rules = passwordRules(usePasswordPolicy());
  return (
    <PasswordField
      {...props}
      {...(rules === null ? {} : { description: rules })}
      autoComplete="new-password"
      isRequired
    />
  );
}
