import { phrase } from '../phrase';
export const words = {
  label: 'Ends',
  none: 'Does not end',
  days30: 'In 30 days',
  days90: 'In 90 days',
  year: 'In a year',
  date: 'At a date and time',
  moment: (zone: string) => phrase`Date and time, in ${zone}`,
  past: 'This is in the past. Choose a later time.',
  skipped: 'This time does not exist in your time zone: clocks go forward then.',
  invalid: 'Choose a date and a time.',
  endsOn: (day: string) => phrase`Ends ${day}`,
  endedOn: (day: string) => phrase`Ended ${day}`,
};
