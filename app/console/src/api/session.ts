import { createContext, useContext } from 'react';
import type { Failure } from './errors';
import type { FrameUser, FrameViewer, PasswordPolicy } from './operations';

/** Who uses the console in this tab. */
export type Session =
  | { readonly status: 'loading' }
  | { readonly status: 'failed'; readonly failures: readonly Failure[]; readonly again: () => void }
  /** `isEnded`: there was a session, and it is over. */
  | { readonly status: 'anonymous'; readonly viewer: FrameViewer; readonly isEnded: boolean }
  | { readonly status: 'signedIn'; readonly viewer: FrameViewer; readonly user: FrameUser }
  /** The session is over, and the page has unsaved input: it stays, and the sign-in opens over it. */
  | { readonly status: 'over'; readonly viewer: FrameViewer; readonly user: FrameUser };

export interface SessionControls {
  readonly session: Session;
  /** What new passwords need; null if nothing, and until it is known. */
  readonly passwordPolicy: PasswordPolicy | null;
  /** Go on after a successful `login`. */
  readonly enter: (userId: string) => void;
  /** Throw the memory away after `logout`, in this tab and in the others. */
  readonly leave: () => void;
}

export const SessionContext = createContext<SessionControls | null>(null);

export function useSessionControls(): SessionControls {
  const controls = useContext(SessionContext);
  if (controls === null) {
    throw new Error('There is no SessionRoot.');
  }
  return controls;
}

export const useSession = (): Session => useSessionControls().session;

export const usePasswordPolicy = (): PasswordPolicy | null => useSessionControls().passwordPolicy;

/** The viewer with permissions and `can`; null until they are known. */
export function useViewer(): FrameViewer | null {
  const session = useSession();
  return session.status === 'loading' || session.status === 'failed' ? null : session.viewer;
}
