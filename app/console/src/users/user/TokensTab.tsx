import type { ReactNode } from 'react';
import { UserTokens } from '../../tokens';
import type { UserDetails } from './operations';

/** The API tokens of a user. A person makes their own; those of a service account are made here. */
export function TokensTab({ user }: { readonly user: UserDetails }): ReactNode {
  return <UserTokens userName={user.userName} mayCreate={user.viewerCan.createApiTokens} />;
}
