// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

/// A proxy that has an owner, who may give it away.
contract SmartProxy {
    address public owner;

    constructor(address to) {
        owner = to;
    }

    function setOwner(address to) external {
        owner = to;
    }
}

/// One proxy of each user, by the interface of Maker's ProxyRegistry.
contract SmartProxyRegistry {
    mapping(address => address) public proxies;

    function build(address user) external {
        proxies[user] = address(new SmartProxy(user));
    }
}

/// Numbered accounts, linked by user, by the interface of Instadapp's InstaList.
contract SmartDsaList {
    struct Ends { uint64 first; uint64 last; uint64 count; }
    struct Beside { uint64 prev; uint64 next; }

    uint64 public accounts;
    mapping(uint64 => address) public accountAddr;
    mapping(address => Ends) public userLink;
    mapping(address => mapping(uint64 => Beside)) public userList;

    function create(address user, address account) external {
        accounts += 1;
        accountAddr[accounts] = account;
        allow(user, accounts);
    }

    function allow(address user, uint64 id) public {
        Ends storage ends = userLink[user];
        if (ends.last == 0) {
            ends.first = id;
        } else {
            userList[user][id].prev = ends.last;
            userList[user][ends.last].next = id;
        }
        ends.last = id;
        ends.count += 1;
    }

    function forbid(address user, uint64 id) external {
        Beside memory beside = userList[user][id];
        Ends storage ends = userLink[user];
        if (beside.prev == 0) ends.first = beside.next;
        else userList[user][beside.prev].next = beside.next;
        if (beside.next == 0) ends.last = beside.prev;
        else userList[user][beside.next].prev = beside.prev;
        ends.count -= 1;
        delete userList[user][id];
    }

    function lie(address user, uint64 count) external {
        userLink[user].count = count;
    }
}
