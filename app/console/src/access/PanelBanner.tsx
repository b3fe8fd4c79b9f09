import { Button, Checkbox, Group, List, Loader, Modal, Stack, Text } from '@mantine/core';
import { useEffect, useEffectEvent, useState } from 'react';
import type { ReactNode } from 'react';
import { useOnline } from '../api';
import { Banner, ScrollList, Failures, sharedWords } from '../shared';
import classes from './Access.module.css';
import type { PanelView } from './usePanelView';
import type { Panel } from './usePanel';
import type { Warning } from './preview';
import { words } from './words';

interface PanelBannerProps {
  readonly panel: Panel;
  readonly view: PanelView;
}

const isInForm = ({ target }: KeyboardEvent): boolean =>
  target instanceof Element && target.closest('form, [role="dialog"]') !== null;

/** Submit by Ctrl+Enter or Cmd+Enter from anywhere on the page but other forms and dialogs. */
function useSubmitKey(onSubmit: () => void): void {
  const onKey = useEffectEvent((event: KeyboardEvent) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && !isInForm(event)) {
      event.preventDefault();
      onSubmit();
    }
  });
  useEffect(() => {
    const listener = (event: KeyboardEvent): void => onKey(event);
    document.addEventListener('keydown', listener);
    return () => document.removeEventListener('keydown', listener);
  }, []);
}

/** The bar of a draft: what is unsaved and what it would change, Submit Changes and Revert Changes. */
export function PanelBanner({ panel, view }: PanelBannerProps): ReactNode {
  const { state, edits, submit, check, wait } = panel;
  const [confirmed, setConfirmed] = useState<ReadonlySet<string>>(new Set());
  const isConfirmed = view.warnings.every(({ text }) => confirmed.has(text));
  const isOnline = useOnline();
  const isSubmitting = state.step.kind === 'submitting';
  const canSubmit = view.canSubmit && isConfirmed && wait === 0 && isOnline;
  useSubmitKey(() => (canSubmit ? void submit() : undefined));
  const confirm = (text: string, isTicked: boolean): void =>
    setConfirmed((old) => new Set(isTicked ? [...old, text] : [...old].filter((each) => each !== text)));
  const actions =
    state.step.kind === 'unknown' ? (
      <Button onClick={() => void check()}>{words.check}</Button>
    ) : (
      <>
        <Button px="sm" onClick={() => void submit()} disabled={!canSubmit} loading={isSubmitting}>
          {wait > 0 ? sharedWords.waiting(wait) : words.submit}
        </Button>
        <Revert panel={panel} isDisabled={isSubmitting} />
      </>
    );
  return (
    <Banner
      isSticky
      text={state.step.kind === 'unknown' ? words.unknown : words.unsaved(edits.length)}
      actions={actions}
    >
      <Stack gap="xs" mt="xs">
        <AccessChanges panel={panel} view={view} />
        <Warnings warnings={view.warnings} confirmed={confirmed} onConfirm={confirm} />
        <Failures failures={view.topFailures} {...(view.onAgain === null ? {} : { onAgain: view.onAgain })} />
      </Stack>
    </Banner>
  );
}

/** What is going on, and what the draft would change. */
function AccessChanges({ panel: { state, preview }, view }: PanelBannerProps): ReactNode {
  if (state.step.kind === 'submitting') {
    return <Text size="sm">{words.submitting}</Text>;
  }
  const notices = [
    state.notice === 'conflict' ? words.conflict : null,
    state.notice === 'notSaved' ? words.stillDirty : null,
    state.overlaps.length > 0 ? words.chooseFirst : null,
    view.errors.size === 0 ? null : state.step.kind === 'refused' ? words.refused : words.wouldBeRefused,
    view.tooMany,
  ].filter((text) => text !== null);
  return (
    <div role="status">
      {notices.map((text) => (
        <Text key={text} size="sm" fw={500}>
          {text}
        </Text>
      ))}
      {preview.status === 'reading' ? (
        <Group gap="xs">
          <Loader size="xs" aria-hidden />
          <Text size="sm">{words.previewing}</Text>
        </Group>
      ) : null}
      {view.sentences.length === 0 ? null : (
        <>
          <ScrollList className={classes['sentences'] ?? ''} aria-label={words.previewOf}>
            {view.sentences.map((sentence, index) => (
              <List.Item key={index}>{sentence}</List.Item>
            ))}
          </ScrollList>
          {view.lossNote === null ? null : (
            <Text size="sm" c="dimmed">
              {view.lossNote}
            </Text>
          )}
        </>
      )}
    </div>
  );
}

interface WarningsProps {
  readonly warnings: readonly Warning[];
  readonly confirmed: ReadonlySet<string>;
  readonly onConfirm: (text: string, isTicked: boolean) => void;
}

function Warnings({ warnings, confirmed, onConfirm }: WarningsProps): ReactNode {
  return warnings.map(({ key, text }) => (
    <Checkbox
      key={key}
      label={text}
      checked={confirmed.has(text)}
      onChange={(event) => onConfirm(text, event.currentTarget.checked)}
    />
  ));
}

const ASK_FROM = 5;

interface RevertProps {
  readonly panel: Panel;
  readonly isDisabled: boolean;
}

/** Brings the base back. It asks if there are more than five edits. */
function Revert({ panel: { edits, dispatch }, isDisabled }: RevertProps): ReactNode {
  const [isAsking, setIsAsking] = useState(false);
  const revert = (): void => dispatch({ kind: 'revert' });
  const close = (): void => setIsAsking(false);
  return (
    <>
      <Button
        px="sm"
        variant="default"
        disabled={isDisabled}
        onClick={() => (edits.length > ASK_FROM ? setIsAsking(true) : revert())}
      >
        {words.revert}
      </Button>
      <Modal opened={isAsking} onClose={close} title={words.revertTitle}>
        <Stack>
          <Text>{words.revertAbout(edits.length)}</Text>
          <Group justify="flex-end">
            <Button variant="default" onClick={close} data-autofocus>
              {words.cancel}
            </Button>
            <Button color="red" onClick={revert}>
              {words.revert}
            </Button>
          </Group>
        </Stack>
      </Modal>
    </>
  );
}
