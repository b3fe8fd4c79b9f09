"""Operations of the product. A function performs one for a viewer, within a transaction that its caller opened."""
