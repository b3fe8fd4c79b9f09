export { useField } from './context';
export { AreaField, MultiSelectField, PasswordField, SelectField, SwitchField, TextField } from './fields';
export type { Choice } from './fields';
export { Form } from './Form';
export type { FormChange } from './Form';
export { useValues } from './useValues';
export type { Values } from './useValues';
export { NewPasswordField } from './NewPasswordField';
