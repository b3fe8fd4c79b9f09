import { CloseButton, Group, Paper, Text } from '@mantine/core';
import { IconAlertCircle, IconCheck } from '@tabler/icons-react';
import { useCallback, useEffect, useRef, useState } from 'react';
import type { ReactNode } from 'react';
import { words } from '../words';
import { NoticesContext } from './context';
import type { Notice } from './context';
import classes from './Notices.module.css';

const SHOWN_FOR = 6_000;

interface ShownNotice extends Notice {
  readonly id: number;
}

interface NoticeCardProps {
  readonly notice: ShownNotice;
  readonly onEnd: (id: number) => void;
}

/** One notice. It stays while the pointer or the focus is on it. */
function NoticeCard({ notice, onEnd }: NoticeCardProps): ReactNode {
  const [isHeld, setIsHeld] = useState(false);
  const { id, kind, text } = notice;
  useEffect(() => {
    if (isHeld) {
      return undefined;
    }
    const timer = setTimeout(() => onEnd(id), SHOWN_FOR);
    return () => clearTimeout(timer);
  }, [isHeld, id, onEnd]);
  const Icon = kind === 'error' ? IconAlertCircle : IconCheck;
  return (
    <Paper
      withBorder
      shadow="md"
      p="xs"
      onMouseEnter={() => setIsHeld(true)}
      onMouseLeave={() => setIsHeld(false)}
      onFocus={() => setIsHeld(true)}
      onBlur={() => setIsHeld(false)}
    >
      <Group wrap="nowrap" gap="xs">
        <Icon size={18} aria-hidden />
        <Text size="sm" flex={1}>
          {text}
        </Text>
        <CloseButton aria-label={words.dismiss} onClick={() => onEnd(id)} />
      </Group>
    </Paper>
  );
}

/** Holds the notices of the page, in two regions that screen readers read out. */
export function Notices({ children }: { readonly children: ReactNode }): ReactNode {
  const [notices, setNotices] = useState<readonly ShownNotice[]>([]);
  const nextId = useRef(0);
  const notify = useCallback((notice: Notice) => {
    nextId.current += 1;
    const entry = { ...notice, id: nextId.current };
    setNotices((old) => [...old, entry]);
  }, []);
  const end = useCallback((id: number) => setNotices((old) => old.filter((notice) => notice.id !== id)), []);
  const cards = (kind: Notice['kind']): ReactNode =>
    notices
      .filter((notice) => notice.kind === kind)
      .map((notice) => <NoticeCard key={notice.id} notice={notice} onEnd={end} />);
  return (
    <NoticesContext value={notify}>
      {children}
      <div className={classes['notices']}>
        <div role="status">{cards('status')}</div>
        <div role="alert">{cards('error')}</div>
      </div>
    </NoticesContext>
  );
}
