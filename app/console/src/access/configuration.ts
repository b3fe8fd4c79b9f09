import type { ResourceRole } from '../api';
import type { Draft, Entry } from './draft';
import { NO_ROLES, withEntry } from './draft';
import type { Configuration } from './fragments';
import type { SubmitInput } from './operations';
import { ANYONE, GENERAL, keyOf } from './subjects';
import type { Subject, SubjectKey, Subjects } from './subjects';

/** Who granted or last changed an entry, and when. Null if that was not recorded; no name stands for the system. */
export interface Origin {
  readonly grantedAt: string | null;
  readonly grantedByName: string | null;
  /** Null also if the user is deleted, or not visible to the viewer. */
  readonly grantedBy: { readonly displayName: string | null } | null;
}

interface Grant extends Origin {
  readonly roles: readonly ResourceRole[];
  readonly expiresAt: string | null;
}

/** A configuration as it was read. */
export interface Base {
  readonly revision: number;
  readonly entries: Draft;
  readonly origins: ReadonlyMap<SubjectKey, Origin>;
}

const entryFrom = ({ roles, expiresAt }: Grant): Entry => ({ roles: new Set(roles), expiresAt });

/** Return the subjects of a configuration with their grants. */
function grantsOf({ groups, users }: Configuration): readonly (readonly [Subject, Grant])[] {
  const ofGroups = groups.flatMap(({ group, ...grant }) =>
    group === null ? [] : [[{ kind: 'group', name: group.displayName, ...group }, grant] as const],
  );
  const ofUsers = users.flatMap(({ user, ...grant }) =>
    user === null ? [] : [[{ kind: 'user', name: user.displayName, ...user }, grant] as const],
  );
  return [...ofGroups, ...ofUsers];
}

export function readBase(configuration: Configuration): Base {
  const { general, anyone, revision } = configuration;
  let entries: Draft = new Map([[GENERAL, general === null ? NO_ROLES : entryFrom(general)]]);
  entries = withEntry(entries, ANYONE, anyone === null ? null : entryFrom(anyone));
  const grants = grantsOf(configuration).map(([subject, grant]) => [keyOf(subject), grant] as const);
  const rows = grants.map(([key, grant]) => [key, entryFrom(grant)] as const);
  const origins = new Map<SubjectKey, Origin>(grants);
  if (general !== null) {
    origins.set(GENERAL, general);
  }
  if (anyone !== null) {
    origins.set(ANYONE, anyone);
  }
  return { revision, entries: new Map([...entries, ...rows]), origins };
}

export const readSubjects = (configuration: Configuration): readonly Subject[] =>
  grantsOf(configuration).map(([subject]) => subject);

/** An input with the subjects of its lists, in their order. */
export interface Sent {
  readonly input: SubmitInput;
  readonly groups: readonly SubjectKey[];
  readonly users: readonly SubjectKey[];
}

const grantTo = ({ roles, expiresAt }: Entry) => ({ roles: [...roles], expiresAt });

/** Make the input of a draft. Ended entries go back as they were. */
export function makeInput(resource: string, revision: number, draft: Draft, subjects: Subjects): Sent {
  const rows = [...draft].flatMap(([key, entry]) => {
    const subject = subjects.get(key);
    return subject === undefined ? [] : [{ key, subject, grant: grantTo(entry) }];
  });
  const groups = rows.flatMap(({ key, subject, grant }) =>
    subject.kind === 'group' ? [{ key, input: { group: { id: subject.id }, ...grant } }] : [],
  );
  const users = rows.flatMap(({ key, subject, grant }) =>
    subject.kind === 'user'
      ? [
          {
            key,
            input: {
              user: subject.id === null ? { userName: subject.userName } : { id: subject.id },
              ...grant,
            },
          },
        ]
      : [],
  );
  const anyone = draft.get(ANYONE);
  return {
    input: {
      resource: { id: resource },
      revision,
      general: grantTo(draft.get(GENERAL) ?? NO_ROLES),
      ...(anyone === undefined ? {} : { anyone: grantTo(anyone) }),
      groups: groups.map(({ input }) => input),
      users: users.map(({ input }) => input),
    },
    groups: groups.map(({ key }) => key),
    users: users.map(({ key }) => key),
  };
}

/** Return the subject that an error is about, by the places of the lists that were sent; null for the whole. */
export function locate(path: readonly string[], sent: Sent): SubjectKey | null {
  const [, list, index] = path;
  if (list === GENERAL || list === ANYONE) {
    return list;
  }
  return list === 'groups' || list === 'users' ? (sent[list][Number(index)] ?? null) : null;
}
