export { GroupPicker, OrgPicker, PersonPicker } from './pickers';
export type { PickerProps } from './Picker';
export { useDebounced } from './useDebounced';
export { useFindPerson, usePersonRef } from './usePersonRef';
export type { PersonRef } from './usePersonRef';
