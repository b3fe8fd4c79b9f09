import { Code, Stack, Text } from '@mantine/core';
import { useEffect, useState } from 'react';
import type { ReactNode } from 'react';
import { Page, Waiting } from '../shared';
import { parseLicenses } from './parse';
import type { PackageLicense } from './parse';
import { words } from './words';

type State = readonly PackageLicense[] | 'loading' | 'failed';

async function readLicenses(signal: AbortSignal): Promise<State> {
  try {
    const response = await fetch(new URL('licenses.json', document.baseURI), { signal });
    return response.ok ? parseLicenses(await response.json()) : 'failed';
  } catch {
    return 'failed';
  }
}

function PackageItem({ item }: { readonly item: PackageLicense }): ReactNode {
  const { name, version, license, text } = item;
  return (
    <details>
      <summary>
        {name} {version} · {license}
      </summary>
      <Code block aria-label={words.text(name)}>
        {text}
      </Code>
    </details>
  );
}

/** The licenses of what the build contains. */
export function LicensesPage(): ReactNode {
  const [state, setState] = useState<State>('loading');
  useEffect(() => {
    const controller = new AbortController();
    void readLicenses(controller.signal).then((next) => {
      if (!controller.signal.aborted) {
        setState(next);
      }
    });
    return () => controller.abort();
  }, []);
  return (
    <Page title={words.title}>
      <Text>{words.intro}</Text>
      {state === 'loading' ? <Waiting /> : null}
      {state === 'failed' ? <Text role="alert">{words.failed}</Text> : null}
      <Stack gap="xs">
        {typeof state === 'string' ? null : state.map((item) => <PackageItem key={item.name} item={item} />)}
      </Stack>
    </Page>
  );
}
