import { Paper } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useEffect } from 'react';
import type { ReactNode } from 'react';
import { useSession } from '../api';
import { Page, useAddress } from '../shared';
import { returnPath } from '../shared/returnTo';
import { SignInForm } from './SignInForm';
import { words } from './words';

/** The sign-in. It leads back to the page that asked for it. */
export function LoginPage(): ReactNode {
  const session = useSession();
  const navigate = useNavigate();
  const [{ returnTo }] = useAddress();
  const isSignedIn = session.status === 'signedIn';
  useEffect(() => {
    if (isSignedIn) {
      void navigate({ href: returnPath(returnTo, document.baseURI), replace: true });
    }
  }, [isSignedIn, navigate, returnTo]);
  return (
    <Page title={words.title}>
      <Paper withBorder p="lg" maw={400}>
        <SignInForm />
      </Paper>
    </Page>
  );
}
