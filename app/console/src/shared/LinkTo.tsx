import { Anchor, Button } from '@mantine/core';
import { createLink } from '@tanstack/react-router';

/** A link to a page of the console, with typed addresses. */
export const LinkTo = createLink(Anchor<'a'>);

/** The same that looks like a button. */
export const ButtonTo = createLink(Button<'a'>);
