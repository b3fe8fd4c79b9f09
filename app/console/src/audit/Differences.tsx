import { Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { isolated, sharedWords } from '../shared';
import { differencesOf, isTruncated } from './changes';
import type { ObjectChange } from './changes';
import classes from './EventDialog.module.css';
import { useLabels } from './labels';
import { words } from './words';

/** The fields of one object in words, before and after side by side. */
export function Differences({ change }: { readonly change: ObjectChange }): ReactNode {
  const rows = differencesOf(change, useLabels());
  return (
    <>
      {change.before === null ? <Text size="sm">{words.createdObject}</Text> : null}
      {change.after === null ? <Text size="sm">{words.deletedObject}</Text> : null}
      {isTruncated(change) ? <Text size="sm">{words.truncated}</Text> : null}
      {rows.length === 0 ? null : (
        <table className={classes['differences'] ?? ''}>
          <thead>
            <tr>
              <th scope="col">{words.field}</th>
              <th scope="col">{words.before}</th>
              <th scope="col">{words.after}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ field, label, before, after }) => (
              <tr key={field}>
                <th scope="row">{label}</th>
                <td data-label={words.before}>
                  <Value lines={before} />
                </td>
                <td data-label={words.after}>
                  <Value lines={after} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}

function Value({ lines }: { readonly lines: readonly string[] | undefined }): ReactNode {
  if (lines === undefined || lines.length === 0) {
    return (
      <Text span size="sm" c="dimmed" fs="italic">
        {lines === undefined ? words.notThere : sharedWords.none}
      </Text>
    );
  }
  return (
    <Stack gap={2} className={classes['value'] ?? ''}>
      {lines.map((line) => (
        <span key={line}>{isolated(line)}</span>
      ))}
    </Stack>
  );
}
