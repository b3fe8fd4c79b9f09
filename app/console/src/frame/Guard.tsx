import { Navigate, useLocation, useMatches } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useSession } from '../api';
import type { Permission, Session } from '../api';
import { Failures, Page, Waiting } from '../shared';
import { NotAllowed } from './NotAllowed';
import { words } from './words';

const lacks = (session: Session, needed: readonly Permission[]): boolean =>
  session.status === 'signedIn' &&
  !needed.some((permission) => session.viewer.permissions.includes(permission));

/** Shows a page when the session is known, and leads to the sign-in where a page needs one. */
export function Guard({ children }: { readonly children: ReactNode }): ReactNode {
  const session = useSession();
  const location = useLocation();
  const staticData = useMatches().at(-1)?.staticData;
  const needsSignIn = staticData?.needsSignIn ?? false;
  const needsPermission = staticData?.needsPermission;
  const isLogin = location.pathname === '/login';

  if (session.status === 'loading') {
    return <Waiting />;
  }
  if (session.status === 'failed') {
    return (
      <Page title={words.noServer}>
        <Failures failures={session.failures} onAgain={session.again} />
      </Page>
    );
  }
  if (session.status === 'anonymous' && !isLogin && (needsSignIn || session.isEnded)) {
    return <Navigate to="/login" search={{ returnTo: location.publicHref }} replace />;
  }
  if (needsPermission !== undefined && lacks(session, needsPermission)) {
    return <NotAllowed needed={needsPermission} />;
  }
  return children;
}
