export { GroupPicker, OrgPicker, PersonPicker } from './pickers';
export type { PickerProps } from './Picker';
