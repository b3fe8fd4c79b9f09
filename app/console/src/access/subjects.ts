/** Who a row of the panel is about. Users have no id while only their name is known. */
export type Subject =
  | { readonly kind: 'general' }
  | { readonly kind: 'anyone' }
  | {
      readonly kind: 'group';
      readonly id: string;
      readonly slug: string;
      readonly name: string;
      readonly description: string;
      readonly memberCount: number;
    }
  | {
      readonly kind: 'user';
      readonly id: string | null;
      readonly userName: string;
      readonly name: string | null;
    };

export type GroupSubject = Extract<Subject, { kind: 'group' }>;
export type UserSubject = Extract<Subject, { kind: 'user' }>;

/** `general`, `anyone`, `group:ID`, or `user:NAME` in lower-case letters. */
export type SubjectKey = string;

export const GENERAL = 'general';
export const ANYONE = 'anyone';

export const groupKey = (id: string): SubjectKey => `group:${id}`;

/** User names are equal without regard to letter case. */
export const userKey = (userName: string): SubjectKey => `user:${userName.trim().toLowerCase()}`;

export function keyOf(subject: Subject): SubjectKey {
  switch (subject.kind) {
    case 'general':
      return GENERAL;
    case 'anyone':
      return ANYONE;
    case 'group':
      return groupKey(subject.id);
    case 'user':
      return userKey(subject.userName);
  }
}

/** What is known of the subjects of the base, the draft and what others submitted. */
export type Subjects = ReadonlyMap<SubjectKey, Subject>;

export const withSubjects = (subjects: Subjects, more: Iterable<Subject>): Subjects =>
  new Map([...subjects, ...[...more].map((subject) => [keyOf(subject), subject] as const)]);
