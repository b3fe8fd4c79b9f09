export { useAddress } from './address';
export { searchText } from './search';
export type { AddressSearch } from './address';
export { attributeText, attributeTexts, plainText } from './attributes';
export { Banner } from './Banner';
export { BulkDialog, CheckedBulk, bulkWords, checkedOf, useBulk, useChecked } from './Bulk';
export type { CheckedAct } from './Bulk';
export { Bytes } from './Bytes';
export { exactBytes, shortBytes } from './bytes';
export { Confirm } from './Confirm';
export { download, toCsv } from './csv';
export { EndsField, EndsText, endInput, endText } from './Ends';
export { Failures } from './Failures';
export {
  AreaField,
  Form,
  Meanwhile,
  MultiSelectField,
  NewPasswordField,
  PasswordField,
  SelectField,
  SwitchField,
  TextField,
  useEdits,
  useField,
  useValues,
} from './Form';
export type { Choice, FormChange, Values } from './Form';
export { FormDialog, useDialogNote, useEditedNote } from './FormDialog';
export { Hidden, OrHidden } from './Hidden';
export { withLabels } from './labels';
export { leaving } from './leaving';
export { LinkedText } from './LinkedText';
export { safeHref } from './links';
export { ButtonTo, LinkTo, MenuItemTo, NavLinkTo } from './LinkTo';
export { useNotify } from './Notices';
export { Loaded, Missing, Page, Waiting } from './Page';
export { GroupPicker, OrgPicker, PersonPicker, useDebounced, useFindPerson, usePersonRef } from './Picker';
export type { PersonRef } from './Picker';
export { useDensity } from './preferences';
export { ScrollList } from './ScrollList';
export { isolated, joined, phrase } from './phrase';
export { StorageBar } from './StorageBar';
export { EditRemoveButtons, Table, useTable } from './Table';
export type { BulkAction, Column, Rows, Selected, TableProps, TableState } from './Table';
export { Time } from './Time';
export { dayOf, endAfterDays, endState, exactTime, isSameMoment, startOfDay } from './times';
export { Unsaved } from './Unsaved';
export { useNow } from './useNow';
export { counted, someOf, words as sharedWords } from './words';
