def gross(net: int) -> int:
    return net * 119 // 100
