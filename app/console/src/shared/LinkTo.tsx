import { Anchor, Button, Menu, NavLink } from '@mantine/core';
import type { AnchorProps, ButtonProps, MenuItemProps, NavLinkProps } from '@mantine/core';
import { createLink } from '@tanstack/react-router';
import type { ComponentPropsWithRef, ReactNode } from 'react';

type Own<Props> = Props & Omit<ComponentPropsWithRef<'a'>, keyof Props>;

const LinkBase = (props: Own<AnchorProps>): ReactNode => <Anchor {...props} />;
const ButtonBase = (props: Own<ButtonProps>): ReactNode => <Button component="a" {...props} />;
const MenuItemBase = (props: Own<MenuItemProps>): ReactNode => <Menu.Item component="a" {...props} />;
const NavBase = (props: Own<NavLinkProps>): ReactNode => <NavLink {...props} />;

/** A link to a page of the console, with typed addresses. */
export const LinkTo = createLink(LinkBase);

/** The same that looks like a button. */
export const ButtonTo = createLink(ButtonBase);

/** The same as an entry of a `Menu` of Mantine. */
export const MenuItemTo = createLink(MenuItemBase);

/** The same as an entry of a list of pages. */
export const NavLinkTo = createLink(NavBase);
